package dev.replistream.presence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Application;
import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.Mutators;
import dev.replistream.api.Role;
import dev.replistream.presence.Watcher.Told;
import dev.replistream.room.RoomClient;
import io.helidon.common.socket.SocketOptions;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import java.time.Clock;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/// Presence where much happens, or something ends. The server's sockets have a small buffer, so
/// that a client that does not read is noticed soon.
@Tag("alone")
class PresenceUnderLoadTest {
  private static final Duration GRACE = Duration.ofMillis(300);
  private static final Duration DRAIN = Duration.ofSeconds(1);

  /// What the built-in mutators can't do: to fill a room, and to take somebody out.
  private static final Mutators MUTATORS =
      () ->
          Map.of(
              "fill",
              (tx, args) -> {
                for (int i = 0; i < args.get("count").asLong(); i++) {
                  tx.unrestricted().putMember(args.get("room").asText(), "user-" + i, Role.READER);
                }
              },
              "dismiss",
              (tx, args) -> tx.removeMember(args.get("room").asText(), args.get("user").asText()));

  private final Settings settings =
      TestService.settings(
          "PRESENCE_GRACE",
          GRACE.toString(),
          "STREAM_PING_INTERVAL",
          "PT0.2S",
          "STREAM_DRAIN",
          DRAIN.toString(),
          "STREAM_WRITE_TIMEOUT",
          "PT1M",
          "AUTH_CLOCK_SKEW",
          "PT0S");
  private final Application application =
      new Application(settings, Clock.systemUTC(), List.of(MUTATORS));
  private final ServiceClient client;
  private final RoomClient rooms;
  private int mutations;

  PresenceUnderLoadTest() {
    WebServerConfig.Builder builder = WebServer.builder();
    application.configure(builder);
    builder.connectionOptions(
        SocketOptions.builder().tcpNoDelay(true).socketSendBufferSize(4_096).build());
    application.running(builder.build().start());
    client =
        new ServiceClient(application.port(), application.adminPort(), settings, Clock.systemUTC());
    rooms = new RoomClient(client);
  }

  @AfterEach
  void close() {
    application.close();
  }

  private void push(String userId, String mutator, String args) {
    mutations++;
    HttpRequest push =
        HttpRequest.api("POST", "/push")
            .by(client.token(userId))
            .with(
                """
                {"profileID":"p","clientGroupID":"g","pushVersion":1,"schemaVersion":"","mutations":[
                {"id":%d,"name":"%s","args":%s,"timestamp":1,"clientID":"c"}]}\
                """
                    .formatted(mutations, mutator, args));
    assertThat(client.send(push).status()).isEqualTo(200);
  }

  @Test
  void whoDoesNotComeBackInTimeIsGoneThen() {
    rooms.create("plan", "alice", "bob");
    try (Watcher alice = new Watcher(client, "alice")) {
      alice.expect("plan", "alice");
      StreamClient bob = client.connected("bob");
      Told first = alice.expect("plan", "alice", "bob");
      long left = System.nanoTime();
      bob.close();
      alice.expect("plan", "alice");

      assertThat(Duration.ofNanos(System.nanoTime() - left)).isGreaterThanOrEqualTo(GRACE);
      assertThat(rooms.present("plan", "alice")).containsExactly("alice:1");
      try (StreamClient _ = client.connected("bob")) {
        Told second = alice.expect("plan", "alice", "bob");
        assertThat(second.users().get("bob")).isAfter(first.users().get("bob"));
        assertThat(second.users()).containsEntry("alice", first.users().get("alice"));
      }
    }
  }

  @Test
  void whoseTokenEndsIsToldNoMoreAndIsGone() {
    rooms.create("plan", "alice", "bob");
    HttpRequest request =
        HttpRequest.api("GET", "/stream?presence=1").by(client.token("bob", Duration.ofSeconds(1)));
    try (Watcher alice = new Watcher(client, "alice");
        Watcher bob = new Watcher(client.open(request))) {
      bob.await("plan", "alice", "bob");
      alice.await("plan", "alice", "bob");

      alice.expect("plan", "alice");
      assertThat(bob.stream().untilEnd(HttpConnection.PATIENCE))
          .allMatch(event -> event.data().equals("ping"));
    }
  }

  @Test
  void whoIsSentElsewhereHasNotGone() {
    rooms.create("plan", "alice", "bob", "eve");
    try (Watcher alice = new Watcher(client, "alice");
        Watcher bob = new Watcher(client, "bob");
        Watcher eve = new Watcher(client, "eve")) {
      List<Watcher> all = List.of(alice, bob, eve);
      all.forEach(each -> each.await("plan", "alice", "bob", "eve"));

      application.close();

      for (Watcher each : all) {
        List<ServerSentEvent> last = each.stream().untilEnd(HttpConnection.PATIENCE);
        assertThat(last).allMatch(event -> event.data().equals("ping"));
        assertThat(each.stream().reconnectionMillis()).isPositive();
      }
    }
  }

  @Test
  void aMutatorThatTakesSomebodyOutEndsItAtOnce() {
    rooms.create("plan", "alice", "bob");
    try (Watcher bob = new Watcher(client, "bob");
        Watcher alice = new Watcher(client, "alice")) {
      bob.await("plan", "alice", "bob");

      push("alice", "dismiss", "{\"room\":\"plan\",\"user\":\"bob\"}");

      bob.expect("plan");
      alice.await("plan", "alice");
      push("alice", "fill", "{\"room\":\"plan\",\"count\":1}");
      try (StreamClient _ = client.connected("user-0")) {
        alice.expect("plan", "alice", "user-0");
        rooms.create("own", "bob");
        bob.expect("own", "bob");
      }
    }
  }

  @Test
  void howeverBusyARoomIsWhoWasTakenOutSeesNothingThatComesAfter() throws InterruptedException {
    rooms.create("plan", "alice", "bob", "eve");
    AtomicBoolean over = new AtomicBoolean();
    Thread busy =
        Thread.startVirtualThread(() -> {
          while (!over.get()) {
            client.connected("bob").close();
          }
        });
    try (Watcher alice = new Watcher(client, "alice");
        Watcher eve = new Watcher(client, "eve")) {
      for (int i = 0; i < 20; i++) {
        Told told = eve.next();
        while (!told.userIds().contains("eve") || !told.room().equals("plan")) {
          told = eve.next();
        }
        rooms.put("plan", "alice", "late-" + i, "reader");

        rooms.remove("plan", "alice", "eve");
        try (StreamClient _ = client.connected("late-" + i)) {
          told = alice.next();
          while (!told.userIds().contains("late-" + i)) {
            told = alice.next();
          }
          rooms.create("end-" + i, "eve");
          boolean isOut = false;
          for (told = eve.next(); !told.room().equals("end-" + i); told = eve.next()) {
            assertThat(told.userIds()).doesNotContain("late-" + i);
            assertThat(isOut && told.room().equals("plan")).as("after its last: " + told).isFalse();
            isOut |= told.userIds().isEmpty();
          }
          assertThat(isOut).isTrue();
        }
        rooms.put("plan", "alice", "eve", "reader");
      }
    } finally {
      over.set(true);
      busy.join();
    }
  }

  @Test
  void aThousandWhoComeAtOnceAreAFewLists() throws InterruptedException {
    int users = 1_000;
    rooms.create("plan", "alice");
    push("alice", "fill", "{\"room\":\"plan\",\"count\":%d}".formatted(users));
    List<StreamClient> streams = Collections.synchronizedList(new ArrayList<>());
    try (Watcher alice = new Watcher(client, "alice");
        ExecutorService threads = Executors.newFixedThreadPool(8)) {
      alice.expect("plan", "alice");
      long begin = System.nanoTime();
      IntStream.range(0, users)
          .forEach(i -> threads.execute(() -> streams.add(client.connected("user-" + i))));
      Told told = alice.next();
      while (told.count() <= users) {
        told = alice.next();
      }
      long tookMillis = (System.nanoTime() - begin) / 1_000_000;

      assertThat(told.count()).isEqualTo(users + 1);
      assertThat(alice.lists()).isLessThanOrEqualTo((int) (tookMillis / 100) + 3);
      assertThat(alice.lists()).isLessThan(users / 4);
      assertThat(rooms.present("plan", "alice")).hasSize(users + 1);
    } finally {
      streams.forEach(StreamClient::close);
    }
  }

  @Test
  void whoReadsLateIsToldEachRoomsNewestAndLittleElse() {
    int count = 200;
    IntStream.range(0, count).forEach(i -> rooms.create("room-" + i, "alice", "bob"));
    HttpConnection deaf = new HttpConnection(application.port(), 1_024);
    try (Watcher sibling = new Watcher(client, "alice");
        Watcher slow = new Watcher(new StreamClient(deaf, Watcher.request(client, "alice")))) {
      for (int round = 0; round < 3; round++) {
        try (StreamClient _ = client.connected("bob")) {
          awaitAll(sibling, count, Set.of("alice", "bob"));
        }
        awaitAll(sibling, count, Set.of("alice"));
      }
      assertThat(sibling.lists()).isGreaterThanOrEqualTo(6 * count);
      client.poke("alice");

      try (StreamClient _ = client.connected("bob")) {
        awaitAll(sibling, count, Set.of("alice", "bob"));
        awaitAll(slow, count, Set.of("alice", "bob"));
      }
      assertThat(slow.lists()).isBetween(count, 3 * count);
    }
  }

  /// Reads lists till the last one of each room is of these users.
  private static void awaitAll(Watcher watcher, int count, Set<String> users) {
    Set<String> rooms = new HashSet<>();
    while (rooms.size() < count) {
      Told told = watcher.next();
      if (told.userIds().equals(users)) {
        rooms.add(told.room());
      } else {
        rooms.remove(told.room());
      }
    }
  }

  @Test
  void whatIsWrittenAndWhoIsThereIsCounted() {
    double before = presenceWritten();
    rooms.create("plan", "alice");
    try (Watcher alice = new Watcher(client, "alice")) {
      alice.expect("plan", "alice");
      Eventually.holds("counted", () -> presenceWritten() == before + 1);
      assertThat(client.metrics()).containsKey("replistream_users_present");
    }
  }

  private double presenceWritten() {
    return client.metrics().getOrDefault("replistream_presence_written_total", -1.0);
  }
}
