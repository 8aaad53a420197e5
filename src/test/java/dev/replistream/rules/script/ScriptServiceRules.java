package dev.replistream.rules.script;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.sync.Replica;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// A service whose rules are a JavaScript file, on each database. Each test has users of its own.
abstract class ScriptServiceRules {
  static final String[] SETTINGS = {
    "MUTATORS_FILE", "src/test/resources/dev/replistream/rules.mjs",
    "MUTATORS_MAX_CPU", "PT0.5S",
    "MUTATORS_BUILT_IN", "true",
  };

  abstract TestService service();

  /// Starts one with a database of its own.
  abstract TestService another();

  private Replica replica(String userId) {
    return Replica.of(service().client(), userId);
  }

  private static JsonValue key(String key) {
    return JsonValue.object().with("key", key).build();
  }

  @Test
  void aMutatorKnowsWhoPushed() {
    Replica alice = replica("s-alice");
    alice.push(alice.put("a", JsonValue.of(1)), alice.mutation("who", JsonValue.ofNull()));
    alice.pull();

    assertThat(alice.view())
        .containsEntry("who", JsonValue.parse("[\"s-alice\",\"s-alice\",\"string\",2]"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"loop", "grow", "never", "deep", "writeForEver"})
  void whatTakesTooMuchIsAcknowledgedAndTheNextOnesRun(String name) {
    String userId = "s-" + name;
    Replica replica = replica(userId);
    for (int round = 1; round <= 2; round++) {
      replica.push(
          replica.mutation("count", key("before")),
          replica.mutation(name, JsonValue.ofNull()),
          replica.mutation("count", key("after")));
      replica.pull();

      assertThat(replica.view()).containsOnlyKeys("before", "after");
      assertThat(replica.view()).containsEntry("after", JsonValue.of(round));
      assertThat(replica.acknowledged()).isEqualTo(3L * round);
    }
    HttpReply rejections =
        service()
            .client()
            .send(HttpRequest.api("GET", "/rejections").by(service().client().token(userId)));
    assertThat(rejections.body()).contains("\"name\":\"" + name + "\"");
  }

  @Test
  void ofAManyEntriesAScanWithALimitTakesAFew() {
    Replica replica = replica("s-scan");
    for (int from = 0; from < 5_000; from += 200) { // each well within its CPU
      replica.push(
          replica.mutation(
              "fill", JsonValue.object().with("from", from).with("count", 200).build()));
    }
    replica.push(replica.mutation("firstTen", JsonValue.ofNull()));
    replica.pull();

    assertThat(replica.view()).hasSize(5_001);
    assertThat(replica.view()).containsEntry("first", JsonValue.parse("[0,1,2,3,4,5,6,7,8,9]"));
  }

  @Test
  void whoWriteInOneRoomAtATimeLoseNothing() throws Exception {
    Replica owner = replica("s-owner");
    JsonValue room = JsonValue.object().with("room", "s-room").build();
    owner.push(owner.mutation("make", room));
    int writers = 4;
    int rounds = 15;
    List<Future<?>> all = new ArrayList<>();
    try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
      for (int i = 0; i < writers; i++) {
        Replica own = replica("s-owner");
        all.add(
            each.submit(() -> {
              for (int round = 0; round < rounds; round++) {
                own.push(
                    own.mutation(
                        "count",
                        JsonValue.object().with("key", "n").with("room", "s-room").build()));
              }
            }));
      }
    }
    for (Future<?> each : all) {
      each.get();
    }
    owner.pull();

    assertThat(owner.view()).containsEntry("n", JsonValue.of((long) writers * rounds));
  }

  @Test
  void closedWhileMutationsRunItEndsSoonAndLeavesNoThread() throws Exception {
    Set<Thread> before = Thread.getAllStackTraces().keySet();
    int pushers = 3;
    List<Future<List<Integer>>> all = new ArrayList<>();
    CountDownLatch pushing = new CountDownLatch(pushers);
    try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
      TestService closing = another();
      for (int i = 0; i < pushers; i++) {
        Replica own = Replica.of(closing.client(), "s-closing" + i);
        all.add(each.submit(() -> statusesUntilItEnds(own, pushing)));
      }
      assertThat(pushing.await(60, TimeUnit.SECONDS)).isTrue();
      long start = System.nanoTime();
      closing.close();
      assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(15));
    }

    for (Future<List<Integer>> each : all) {
      assertThat(each.get()).first().isEqualTo(200);
      assertThat(each.get()).isSubsetOf(200, 503);
    }
    Eventually.holds(
        "no thread is left that runs mutations",
        () ->
            Thread.getAllStackTraces().keySet().stream()
                .filter(each -> !before.contains(each))
                .map(Thread::getName)
                .noneMatch(name -> name.startsWith("script-") || name.equals("transactions")));
  }

  /// Pushes one that counts and one that never ends at a time, till the service takes no more.
  private static List<Integer> statusesUntilItEnds(Replica replica, CountDownLatch pushing) {
    List<Integer> statuses = new ArrayList<>();
    try {
      do {
        statuses.add(
            replica
                .send(
                    replica.mutation("count", key("n")),
                    replica.mutation("loop", JsonValue.ofNull()))
                .status());
        pushing.countDown();
      } while (statuses.getLast() == 200);
    } catch (UncheckedIOException | AssertionError _) {
      // it listens no more, or has closed the connection
    } finally {
      pushing.countDown(); // also without any answer, which the test finds
    }
    return statuses;
  }
}
