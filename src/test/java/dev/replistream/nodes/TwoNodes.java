package dev.replistream.nodes;

import dev.replistream.Eventually;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;

/// Two nodes that are one service, or one that is both.
public abstract class TwoNodes {
  protected TestNode near;
  protected TestNode far;

  /// Two nodes that have begun, or one.
  protected abstract List<? extends TestNode> open();

  @BeforeEach
  void openBoth() {
    List<? extends TestNode> nodes = open();
    near = nodes.getFirst();
    far = nodes.getLast();
    // before that each stream is still due for a sync
    Eventually.holds("all have met", () -> nodes.stream().allMatch(TestNode::isReady));
  }

  @AfterEach
  void closeBoth() {
    near.close();
    if (!far.equals(near)) {
      far.close();
    }
  }

  /// The node that pokes and asks.
  public TestNode near() {
    return near;
  }

  /// The other one.
  public TestNode far() {
    return far;
  }
}
