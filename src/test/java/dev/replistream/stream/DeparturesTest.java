package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class DeparturesTest {
  private static final Duration GRACE = Duration.ofMillis(200);

  private final List<String> gone = new CopyOnWriteArrayList<>();
  private final Departures departures = new Departures(GRACE, 3, gone::add);

  @AfterEach
  void close() {
    departures.close();
  }

  @Test
  void whoLeftFirstGoesFirstWhenTheGraceIsOver() {
    long begin = System.nanoTime();
    departures.add("alice", begin);
    departures.add("bob", begin);

    Eventually.holds("both are gone", () -> gone.size() == 2);

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(GRACE);
    assertThat(gone).containsExactly("alice", "bob");
    departures.add("carol", System.nanoTime());
    Eventually.holds("she is gone too", () -> gone.size() == 3);
  }

  @Test
  void whoComesBackDoesNotGo() {
    departures.add("alice", System.nanoTime());
    departures.cancel("alice");
    assertThat(departures.contains("alice")).isFalse();
    departures.add("bob", System.nanoTime());

    Eventually.holds("he is gone", () -> !gone.isEmpty());

    assertThat(gone).containsExactly("bob");
  }

  @Test
  void ofTooManyTheFirstIsWaitedForNoLonger() {
    long now = System.nanoTime();
    assertThat(departures.add("alice", now)).isEmpty();
    assertThat(departures.add("bob", now)).isEmpty();
    assertThat(departures.add("carol", now)).isEmpty();

    assertThat(departures.add("dave", now)).hasValue("alice");

    assertThat(gone).isEmpty(); // the caller lets her go
  }

  @Test
  void withoutAGraceNobodyIsWaitedFor() {
    try (Departures none = new Departures(Duration.ZERO, 3, gone::add)) {
      assertThat(none.add("alice", System.nanoTime())).hasValue("alice");
      assertThat(none.contains("alice")).isFalse();
    }
  }

  @Test
  void whoCanNotBeLetGoHoldsUpNobody() {
    try (LogCapture log = new LogCapture();
        Departures failing =
            new Departures(
                Duration.ofMillis(1),
                3,
                userId -> {
                  gone.add(userId);
                  if (userId.equals("alice")) {
                    throw new IllegalStateException("a bug");
                  }
                })) {
      failing.add("alice", System.nanoTime());
      failing.add("bob", System.nanoTime());

      Eventually.holds("both are gone", () -> gone.size() == 2);

      assertThat(log.warnings()).containsExactly("event=error where=departures");
    }
  }
}
