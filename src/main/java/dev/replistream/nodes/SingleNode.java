package dev.replistream.nodes;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.function.Consumer;
import java.util.function.UnaryOperator;

/// A node that is alone: what it holds is all there is. Thread-safe.
public final class SingleNode implements Nodes {
  private volatile LocalUsers local = LocalUsers.NOBODY;

  @Override
  public void register(LocalUsers users) {
    local = users;
  }

  /// Always: who registered has counted it.
  @Override
  public boolean join(String userId, int nth) {
    return true;
  }

  @Override
  public void left(String userId) {
    // who registered has counted it
  }

  @Override
  public int connections(String userId) {
    return local.connections(userId);
  }

  @Override
  public int connections() {
    return local.connections();
  }

  @Override
  public Map<String, Present> elsewhere(Collection<String> userIds) {
    return Map.of();
  }

  @Override
  public void tell(String topic, String text) {
    // nobody is there
  }

  @Override
  public void listen(String topic, Consumer<String> listener) {
    // nobody tells anything
  }

  @Override
  public Answers ask(String userId, String topic, String text) {
    return new Answers(List.of(), true);
  }

  @Override
  public void answer(String topic, UnaryOperator<String> answerer) {
    // nobody asks anything
  }

  @Override
  public void onTopologyChange(Runnable listener) {
    // nobody comes or goes
  }
}
