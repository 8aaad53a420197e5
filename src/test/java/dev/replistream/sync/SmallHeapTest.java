package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Rounds;
import dev.replistream.ServiceClient;
import dev.replistream.SmallServer;
import dev.replistream.api.JsonValue;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// What users can send to a server whose heap is that of a small container.
@Tag("alone")
class SmallHeapTest {
  private static final SmallServer SERVER = SmallServer.start();
  private static final Duration BOUND = Duration.ofSeconds(60);
  private static final Duration RETRY_AFTER = Duration.ofSeconds(1);

  private final ServiceClient client = SERVER.client();

  /// Of the 512 MiB of such a container; the rest is for what a test does not bring about.
  private static final long MOST_BYTES = 464L << 20;

  @AfterAll
  static void close() {
    long peakBytes = SERVER.peakBytes();
    SERVER.close();

    assertThat(peakBytes).isLessThan(MOST_BYTES);
  }

  @AfterEach
  void theProcessLives() {
    assertThat(SERVER.isAlive()).as(SERVER.log()).isTrue();
    assertThat(SERVER.log()).doesNotContain("OutOfMemoryError").doesNotContain("\tat ");
  }

  private static String zeros(int bytes) {
    return "[" + "0,".repeat(bytes / 2) + "0]";
  }

  private static String push(String group, String mutations) {
    return "{\"profileID\":\"p\",\"clientGroupID\":\""
        + group
        + "\",\"mutations\":["
        + mutations
        + "],\"pushVersion\":1,\"schemaVersion\":\"\"}";
  }

  private static String put(int id, String client, String key, String value) {
    return "{\"id\":%d,\"clientID\":\"%s\",\"name\":\"put\",\"args\":{\"key\":\"%s\",\"value\":%s}}"
        .formatted(id, client, key, value);
  }

  private static String patch(int id, String client, String key, String value) {
    return "{\"id\":%d,\"clientID\":\"%s\",\"name\":\"patch\",\"args\":{\"key\":\"%s\",\"merge\":%s}}"
        .formatted(id, client, key, value);
  }

  /// The reply; none where the server has closed the connection while the body was being sent.
  private Optional<HttpReply> post(String route, String userId, String body) {
    return send(request(route, userId, body));
  }

  private byte[] request(String route, String userId, String body) {
    return HttpRequest.api("POST", route)
        .by(client.token(userId))
        .with("Connection", "close")
        .with(body)
        .toBytes();
  }

  private Optional<HttpReply> send(byte[] request) {
    try (HttpConnection connection = client.connect()) {
      return Optional.of(connection.send(request).reply());
    } catch (UncheckedIOException _) {
      return Optional.empty();
    }
  }

  private static <T> List<T> allOf(List<Callable<T>> calls) throws Exception {
    try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
      List<T> results = new ArrayList<>();
      for (Future<T> future : each.invokeAll(calls)) {
        results.add(future.get());
      }
      return results;
    }
  }

  private static boolean isDone(Optional<HttpReply> reply) {
    reply
        .filter(refused -> refused.status() != 200)
        .ifPresent(refused -> {
          assertThat(refused.status()).isEqualTo(503);
          assertThat(refused.header("Retry-After")).isEqualTo("1");
        });
    return reply.filter(answer -> answer.status() == 200).isPresent();
  }

  @Test
  void aValueOfMillionsOfElementsIsRefusedByItsLengthAndAcknowledged() {
    String[] values = {zeros(15 << 20), '"' + "v".repeat(15 << 20) + '"'};
    for (int i = 0; i < values.length; i++) {
      String body = push("vera-group" + i, put(1, "vera-client" + i, "k", values[i]));

      assertThat(post("/push", "vera", body).map(HttpReply::status)).contains(200);
    }

    Replica replica = Replica.of(client, "vera");
    replica.pull();
    assertThat(replica.view()).isEmpty();
    assertThat(SERVER.log()).contains("its arguments are too long");
  }

  @Test
  void valuesOfTheLargestSizeAreStoredAndMergedWhateverTheyHold() throws Exception {
    String largest = "{\"a\":" + zeros((1 << 20) - 100) + "}";
    List<Callable<Boolean>> pushes = new ArrayList<>();
    for (int i = 0; i < 12; i++) {
      String number = "v" + i;
      String mutations = put(1, number, "k", largest) + "," + patch(2, number, "k", "{\"b\":1}");
      pushes.add(() -> retried(number, push("group-" + number, mutations)));
    }

    assertThat(allOf(pushes)).containsOnly(true);

    Replica replica = Replica.of(client, "v0");
    replica.pull();
    assertThat(replica.view())
        .hasEntrySatisfying("k", value -> assertThat(value.find("b")).contains(JsonValue.of(1)));
  }

  private boolean retried(String userId, String body) {
    return retried("/push", userId, body);
  }

  /// Sends a request till it is taken, as a client does: again when the answer says so.
  private boolean retried(String route, String userId, String body) {
    long end = System.nanoTime() + BOUND.toNanos();
    while (!isDone(post(route, userId, body))) {
      if (System.nanoTime() - end > 0) {
        return false;
      }
      LockSupport.parkNanos(RETRY_AFTER.toNanos());
    }
    return true;
  }

  @Test
  void manyPushesOfTheLargestSizeAtOnceAreRefusedOrServedAndAllInTheEnd() throws Exception {
    AtomicInteger next = new AtomicInteger();
    String value = '"' + "v".repeat((1 << 20) - 100) + '"';
    List<Callable<Boolean>> pushes = new ArrayList<>();
    for (int i = 0; i < Rounds.of(12, 20); i++) {
      pushes.add(() -> {
        int number = next.incrementAndGet();
        List<String> mutations = new ArrayList<>();
        for (int id = 1; id <= 15; id++) {
          mutations.add(put(id, "large" + number, "k", value));
        }
        return retried("lars" + number, push("lg" + number, String.join(",", mutations)));
      });
    }

    assertThat(allOf(pushes)).containsOnly(true);

    assertThat(client.metrics())
        .hasEntrySatisfying(
            "replistream_bodies_refused_total{limit=\"node\"}",
            count -> assertThat(count).isPositive())
        .containsEntry("replistream_bodies_inflight_bytes", 0.0);
  }

  @Test
  void cookiesThatAreNoneOfOursTakeNoMoreThanTheirText() throws Exception {
    String body =
        "{\"profileID\":\"p\",\"clientGroupID\":\"g\",\"pullVersion\":1,\"cookie\":"
            + zeros(976 << 10)
            + ",\"schemaVersion\":\"\"}";
    List<Callable<Boolean>> pulls = Collections.nCopies(16, () -> retried("/pull", "carl", body));

    assertThat(allOf(pulls)).containsOnly(true);
  }

  @Test
  void othersAreAnsweredWhileManyLongPushesAreUnderWay() throws Exception {
    List<Long> waits = new ArrayList<>();
    AtomicInteger taken = new AtomicInteger();
    AtomicBoolean isMeasured = new AtomicBoolean();
    List<Callable<Boolean>> calls = new ArrayList<>();
    for (int i = 0; i < 40; i++) {
      String userId = "long" + i % 10;
      byte[] request =
          request("/push", userId, push("long-group" + i, deletions("long-client" + i, 100_000)));
      calls.add(() -> {
        while (!isMeasured.get()) {
          if (isDone(send(request))) {
            taken.incrementAndGet();
          }
          LockSupport.parkNanos(RETRY_AFTER.toNanos());
        }
        return true;
      });
    }
    // not on a virtual thread, which would wait for those that send
    FutureTask<Boolean> measured =
        new FutureTask<>(() -> {
          try {
            Replica other = Replica.of(client, "olga");
            for (int i = 0; i < 30 || taken.get() == 0; i++) {
              long begin = System.nanoTime();
              other.push(other.put("k" + i, JsonValue.of(1)));
              other.pull();
              waits.add((System.nanoTime() - begin) / 1_000_000);
              LockSupport.parkNanos(Duration.ofMillis(50).toNanos());
            }
          } finally {
            isMeasured.set(true);
          }
          return true;
        });
    Thread.ofPlatform().name("olga").start(measured);

    allOf(calls);
    measured.get();

    List<Long> sorted = waits.stream().sorted().toList();
    assertThat(sorted.get(sorted.size() / 2)).as("%s", sorted).isLessThan(1_000);
    assertThat(sorted.getLast()).as("%s", sorted).isLessThan(5_000);
  }

  private static String deletions(String clientId, int count) {
    StringBuilder mutations = new StringBuilder();
    for (int id = 1; id <= count; id++) {
      mutations.append(id == 1 ? "" : ",").append("{\"id\":").append(id).append(",\"clientID\":\"");
      mutations.append(clientId).append("\",\"name\":\"del\",\"args\":{\"key\":\"k\"}}");
    }
    return mutations.toString();
  }
}
