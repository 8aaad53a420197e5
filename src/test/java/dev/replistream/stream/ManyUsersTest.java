package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class ManyUsersTest {
  private static final int USERS = 200;
  private static final int POKERS = 8;
  private static final int POKES = 60;

  private final long seed = System.nanoTime();

  @Test
  void aPokeReachesEachOfAUsersManyStreamsOnce() {
    int many = 300;
    try (TestService service =
        TestService.start("STREAM_MAX_CONNECTIONS_PER_USER", String.valueOf(many))) {
      ServiceClient client = service.client();
      List<StreamClient> streams =
          IntStream.range(0, many).mapToObj(_ -> client.connected("alice")).toList();

      for (int poke = 1; poke <= 20; poke++) {
        assertThat(client.poke("alice")).isEqualTo(many);
        for (StreamClient stream : streams) {
          assertThat(stream.expect("sync").stamp()).isEqualTo(poke);
        }
      }

      streams.forEach(StreamClient::close);
    }
  }

  @Test
  void eachStreamHearsOfItsOwnUserAlone() throws ExecutionException, InterruptedException {
    try (TestService service = TestService.start()) {
      ServiceClient client = service.client();
      Map<String, List<StreamClient>> streams = new HashMap<>();
      for (int i = 0; i < USERS; i++) {
        String userId = "user-" + i;
        streams.put(userId, List.of(client.connected(userId), client.connected(userId)));
      }
      assertThat(client.stats("user-7").getInt("userConnections")).isEqualTo(2);
      assertThat(client.stats("user-7").getInt("totalConnections")).isEqualTo(2 * USERS);

      assertThat(pokeAtOnce(client)).isEqualTo(2 * POKERS * POKES);

      Map<Long, String> userOfStamp = new HashMap<>();
      streams.forEach((userId, both) -> {
        assertThat(client.poke(userId)).isEqualTo(2);
        List<List<Long>> seen = new ArrayList<>();
        for (StreamClient stream : both) {
          seen.add(stampsUpTo(client, userId, stream));
          stream.close();
        }
        assertThat(seen.getFirst().getLast()).isEqualTo(seen.getLast().getLast());
        for (List<Long> stamps : seen) {
          for (Long stamp : stamps) {
            String other = userOfStamp.putIfAbsent(stamp, userId);
            assertThat(other).as("seed %d", seed).isIn(null, userId);
          }
        }
      });
    }
  }

  /// Pokes random users, but never the last one, from several threads.
  ///
  /// @return how many clients were notified, all in all
  private int pokeAtOnce(ServiceClient client) throws ExecutionException, InterruptedException {
    int notified = 0;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<Integer>> pokers =
          IntStream.range(0, POKERS)
              .mapToObj(i -> new Random(seed + i))
              .map(random ->
                  threads.submit(() ->
                      IntStream.range(0, POKES)
                          .map(_ -> client.poke("user-" + random.nextInt(USERS - 1)))
                          .sum()))
              .toList();
      for (Future<Integer> poker : pokers) {
        notified += poker.get();
      }
    }
    return notified;
  }

  /// The stamps that a stream was told, up to that of the poke which was its user's last.
  private static List<Long> stampsUpTo(ServiceClient client, String userId, StreamClient stream) {
    long last;
    try (StreamClient probe = client.open(client.stream(userId))) {
      last = probe.expect("connected").stamp();
    }
    List<Long> stamps = new ArrayList<>();
    while (stamps.isEmpty() || stamps.getLast() < last) {
      ServerSentEvent sync = stream.expect("sync");
      stamps.add(sync.stamp());
    }
    if (userId.equals("user-" + (USERS - 1))) {
      assertThat(stamps).hasSize(1);
    }
    return stamps;
  }
}
