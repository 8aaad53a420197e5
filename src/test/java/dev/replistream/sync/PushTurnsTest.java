package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.http.TooMuchAtOnceException;
import java.time.Duration;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class PushTurnsTest {
  @Test
  void whoGetsNoTurnIsToldWhatThereIsTooMuchOf() {
    PushTurns turns = new PushTurns(Duration.ofMillis(1));
    try (PushTurns.Turn _ = turns.take("alice")) {
      assertThatThrownBy(() -> turns.take("alice"))
          .isInstanceOf(TooMuchAtOnceException.class)
          .hasMessageStartingWith("A long push of this user");
      try (PushTurns.Turn _ = turns.take("bob");
          PushTurns.Turn _ = turns.take("carl")) {
        assertThatThrownBy(() -> turns.take("dora"))
            .isInstanceOf(TooMuchAtOnceException.class)
            .hasMessageContaining("as many long pushes");
      }
      turns.take("dora").close();
    }
    turns.take("alice").close();
  }

  @Test
  void whoWaitsGetsTheTurnThatIsGivenBack() throws Exception {
    PushTurns turns = new PushTurns(Duration.ofMinutes(1));
    CompletableFuture<Void> second;
    try (PushTurns.Turn _ = turns.take("alice")) {
      second =
          CompletableFuture.runAsync(() -> turns.take("alice").close(), Thread::startVirtualThread);
    }
    second.get(20, TimeUnit.SECONDS);
  }
}
