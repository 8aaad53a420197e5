package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

class GracePeriodsTest {
  private static final Duration GRACE = Duration.ofMillis(200);

  private final List<String> gone = new CopyOnWriteArrayList<>();
  private final GracePeriods gracePeriods = new GracePeriods(GRACE, 3, gone::add);

  @AfterEach
  void close() {
    gracePeriods.close();
  }

  @Test
  void whoLeftFirstGoesFirstWhenTheGraceIsOver() {
    long begin = System.nanoTime();
    gracePeriods.add("alice", begin);
    gracePeriods.add("bob", begin);

    Eventually.holds("both are gone", () -> gone.size() == 2);

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isGreaterThanOrEqualTo(GRACE);
    assertThat(gone).containsExactly("alice", "bob");
    gracePeriods.add("carol", System.nanoTime());
    Eventually.holds("she is gone too", () -> gone.size() == 3);
  }

  @Test
  void whoComesBackDoesNotGo() {
    gracePeriods.add("alice", System.nanoTime());
    gracePeriods.cancel("alice");
    assertThat(gracePeriods.contains("alice")).isFalse();
    gracePeriods.add("bob", System.nanoTime());

    Eventually.holds("he is gone", () -> !gone.isEmpty());

    assertThat(gone).containsExactly("bob");
  }

  @Test
  void ofTooManyTheFirstIsWaitedForNoLonger() {
    long now = System.nanoTime();
    assertThat(gracePeriods.add("alice", now)).isEmpty();
    assertThat(gracePeriods.add("bob", now)).isEmpty();
    assertThat(gracePeriods.add("carol", now)).isEmpty();

    assertThat(gracePeriods.add("dave", now)).hasValue("alice");

    assertThat(gone).isEmpty(); // the caller lets her go
  }

  @Test
  void withoutAGraceNobodyIsWaitedFor() {
    try (GracePeriods none = new GracePeriods(Duration.ZERO, 3, gone::add)) {
      assertThat(none.add("alice", System.nanoTime())).hasValue("alice");
      assertThat(none.contains("alice")).isFalse();
    }
  }

  @Test
  void whoCanNotBeLetGoHoldsUpNobody() {
    try (LogCapture log = new LogCapture();
        GracePeriods failing =
            new GracePeriods(
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

      assertThat(log.warnings()).containsExactly("event=error where=grace-periods");
    }
  }
}
