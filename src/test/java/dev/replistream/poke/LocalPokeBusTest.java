package dev.replistream.poke;

import dev.replistream.nodes.LocalNode;
import dev.replistream.nodes.TestNode;
import dev.replistream.nodes.TwoNodes;
import java.util.List;

class LocalPokeBusTest extends TwoNodes implements PokeBusRules {
  @Override
  protected List<TestNode> open() {
    return List.of(LocalNode.open());
  }
}
