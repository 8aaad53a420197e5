package dev.replistream.nodes;

import java.util.List;

class SingleNodeTest extends TwoNodes implements NodesRules {
  @Override
  protected List<TestNode> open() {
    return List.of(LocalNode.open());
  }
}
