package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.auth.Caller;
import dev.replistream.poke.EventId;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

class UserConnectionsTest {
  private final UserConnections connections = new UserConnections(0);

  private static Connection connection() {
    Caller caller = new Caller("alice", Set.of(), Instant.MAX, Caller.Credential.HEADER);
    return new Connection(caller, Transport.SSE, "a test", Duration.ofHours(1));
  }

  @Test
  void whateverComesAndGoesItHoldsWhatAListWould() {
    long seed = System.nanoTime();
    Random random = new Random(seed);
    List<Connection> model = new ArrayList<>();
    for (int i = 0; i < 5_000; i++) {
      boolean grows = random.nextInt(100) < (i / 500 % 2 == 0 ? 70 : 30);
      if (grows || model.isEmpty()) {
        Connection added = connection();
        connections.add(added);
        model.add(added);
      } else {
        connections.remove(model.remove(random.nextInt(model.size())));
      }
      assertThat(connections.size()).as("seed %d", seed).isEqualTo(model.size());
      assertThat(connections.snapshot())
          .as("seed %d", seed)
          .containsExactlyInAnyOrder(model.toArray(Connection[]::new));
    }
  }

  @Test
  void removingWhatIsNotThereChangesNothing() {
    Connection there = connection();
    connections.add(there);

    connections.remove(connection());
    assertThat(connections.snapshot()).containsExactly(there);

    connections.remove(there);
    connections.remove(there);
    assertThat(connections.size()).isZero();
  }

  @Test
  void whileOneFanOutIsUnderWayAllNewerSyncsBecomeOne() {
    SyncEvent first = new SyncEvent(new EventId("e", 1), 0);
    SyncEvent second = new SyncEvent(new EventId("e", 2), 0);
    SyncEvent third = new SyncEvent(new EventId("e", 3), 0);

    assertThat(connections.offerFanOut(first)).isTrue();
    assertThat(connections.nextFanOut()).isSameAs(first);
    assertThat(connections.offerFanOut(third)).isFalse();
    assertThat(connections.offerFanOut(second)).isFalse();
    assertThat(connections.nextFanOut()).isSameAs(third);
    assertThat(connections.nextFanOut()).isNull();

    assertThat(connections.offerFanOut(second)).isTrue();
  }
}
