package dev.replistream.rules.script;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.SmallServer;
import dev.replistream.api.JsonValue;
import dev.replistream.sync.Replica;
import java.util.List;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What mutators in JavaScript may do to a server whose heap is that of a small container.
@Tag("alone")
class SmallHeapScriptTest {
  private static final List<String> STEPS =
      List.of(
          "Array.from({length: 2 ** 25})",
          "({...'x'.repeat(2 ** 22)})",
          "Object.keys('x'.repeat(2 ** 24))",
          "Object.entries(new Uint8Array(2 ** 25))",
          "JSON.stringify(new Uint8Array(2 ** 25))",
          "JSON.stringify(Array(8).fill(new Uint8Array(2 ** 20)))",
          "Array(2 ** 25).toSorted()",
          "Array(1e6).concat(...Array(1000).fill(Array(1e6).fill(1)))",
          "'x'.repeat(4e6).replace('x'.repeat(1e5), '$&'.repeat(2e6))",
          "'x'.repeat(4e6).replaceAll('x', 'y'.repeat(4e6))",
          "'\\ufdfa'.repeat(2 ** 22).normalize('NFKD')",
          "Array.from({length: 100}, () => new Float64Array(2 ** 22))",
          "Array.from({length: 100}, (_, i) => ('x'.repeat(2 ** 22 - 1) + i % 10).toUpperCase())",
          "2n ** 1000000000n",
          "JSON.parse('[' + '[],'.repeat(1.3e6) + '0]')");

  @Test
  void noStepOfAMutatorEndsTheServer() {
    try (SmallServer server =
        SmallServer.start("MUTATORS_FILE", "src/test/resources/dev/replistream/rules.mjs")) {
      Replica replica = Replica.of(server.client(), "eve");
      for (String step : STEPS) {
        replica.push(replica.mutation("evaluate", JsonValue.of(step)));
        assertThat(server.isAlive()).as(step + server.log()).isTrue();
      }
      replica.push(replica.mutation("count", JsonValue.object().with("key", "after").build()));
      replica.pull();

      assertThat(replica.view()).containsEntry("after", JsonValue.of(1));
      assertThat(server.log()).doesNotContain("OutOfMemoryError").doesNotContain("\tat ");
    }
  }
}
