package dev.replistream.presence;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServerSentEvent;
import dev.replistream.ServiceClient;
import dev.replistream.SettableClock;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.presence.Watcher.Told;
import dev.replistream.room.RoomClient;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// Who is present in a room, on a service whose users have ten minutes to come back.
class PresenceTest {
  private static final Duration MINUTE = Duration.ofMinutes(1);

  private final SettableClock clock = new SettableClock();
  private final Instant start = clock.instant();
  private final TestService service = TestService.start(clock, "PRESENCE_GRACE", "PT10M");
  private final ServiceClient client = service.client();
  private final RoomClient rooms = new RoomClient(client);

  @AfterEach
  void close() {
    service.close();
  }

  private void awaitPresent(String... users) {
    Eventually.holds(
        String.join(", ", users), () -> rooms.present("plan", "alice").equals(List.of(users)));
  }

  @Test
  void aMemberAsksWhoIsThere() {
    rooms.create("plan", "alice", "zoe", "bob", "eve");
    try (StreamClient _ = client.connected("zoe")) {
      clock.advance(MINUTE);
      try (StreamClient _ = client.connected("bob");
          StreamClient _ = client.connected("mallory")) {
        HttpReply reply = rooms.presence("plan", "alice");

        assertThat(reply.status()).isEqualTo(200);
        assertThat(reply.header("Content-Type")).isEqualTo("application/json");
        assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
        assertThat(reply.body())
            .isEqualTo(
                "{\"room\":\"plan\",\"users\":["
                    + "{\"userId\":\"bob\",\"sessions\":1,\"since\":\"2026-11-23T12:01:00.000Z\"},"
                    + "{\"userId\":\"zoe\",\"sessions\":1,\"since\":\"2026-11-23T12:00:00.000Z\"}]}");
      }
    }
  }

  @Test
  void aRoomDoesNotExistToWhoIsNoMember() {
    rooms.create("plan", "alice");

    String none = Problems.detail(rooms.presence("other", "alice"), 404);
    assertThat(Problems.detail(rooms.presence("plan", "mallory"), 404)).isEqualTo(none);
    assertThat(client.send(HttpRequest.api("GET", "/rooms/plan/presence")).status()).isEqualTo(401);
  }

  @Test
  void sessionsAreCountedAndTheFirstOneSaysSinceWhen() {
    rooms.create("plan", "alice", "bob", "eve");
    try (Watcher alice = new Watcher(client, "alice")) {
      alice.expect("plan", "alice");
      try (StreamClient _ = client.connected("bob")) {
        alice.expect("plan", "alice", "bob");
        clock.advance(MINUTE);
        try (StreamClient _ = client.connected("bob")) {
          assertThat(rooms.present("plan", "bob")).containsExactly("alice:1", "bob:2");
          assertThat(rooms.presence("plan", "bob").body())
              .doesNotContain("2026-11-23T12:01:00.000Z");
          try (StreamClient _ = client.connected("eve")) {
            // a second connection is no news
            Told told = alice.expect("plan", "alice", "bob", "eve");
            assertThat(told.users())
                .containsEntry("bob", start)
                .containsEntry("eve", start.plus(MINUTE));
          }
        }
        awaitPresent("alice:1", "bob:1", "eve:0");
      }
    }
  }

  @Test
  void whoComesBackInTimeHasNeitherGoneNorCome() {
    rooms.create("plan", "alice", "bob", "eve");
    try (Watcher alice = new Watcher(client, "alice")) {
      alice.expect("plan", "alice");
      client.connected("bob").close();
      alice.expect("plan", "alice", "bob");
      awaitPresent("alice:1", "bob:0");
      clock.advance(MINUTE);

      for (int i = 0; i < 10; i++) {
        client.connected("bob").reset();
        awaitPresent("alice:1", "bob:0");
      }
      try (StreamClient _ = client.connected("bob");
          StreamClient _ = client.connected("eve")) {
        Told told = alice.expect("plan", "alice", "bob", "eve");
        assertThat(told.users()).containsEntry("bob", start);
        awaitPresent("alice:1", "bob:1", "eve:1");
      }
    }
  }

  @Test
  void aStreamThatDidNotAskIsToldNothing() {
    rooms.create("plan", "alice", "bob");
    try (StreamClient plain = client.connected("alice");
        StreamClient zero =
            client.open(HttpRequest.api("GET", "/stream?presence=0").by(client.token("alice")));
        Watcher watching = new Watcher(client, "alice")) {
      zero.expect("connected");
      watching.expect("plan", "alice");
      try (StreamClient _ = client.connected("bob")) {
        watching.expect("plan", "alice", "bob");
      }
      client.poke("alice");
      plain.expect("sync");
      zero.expect("sync");
    }
  }

  @Test
  void aTicketOpensSuchAStreamUnderEitherName() {
    rooms.create("plan", "alice");
    for (String route : new String[] {"/stream", "/events"}) {
      String query = "?presence=1&ticket=" + client.ticket("alice");
      try (Watcher alice = new Watcher(client.open(HttpRequest.api("GET", route + query)))) {
        alice.expect("plan", "alice");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"true", "", "2", "01"})
  void whatIsNeitherZeroNorOneIsRefused(String value) {
    HttpReply reply =
        client.send(HttpRequest.api("GET", "/stream?presence=" + value).by(client.token("alice")));

    assertThat(Problems.detail(reply, 400)).contains("presence is 1");
    assertThat(client.connections("alice")).isZero();
  }

  @Test
  void aRefusalOfThatLeavesTheTicketGood() {
    String ticket = "ticket=" + client.ticket("alice");
    HttpReply reply = client.send(HttpRequest.api("GET", "/stream?presence=2&" + ticket));

    Problems.detail(reply, 400);
    try (StreamClient stream = client.open(HttpRequest.api("GET", "/stream?" + ticket))) {
      stream.expect("connected");
    }
  }

  @Test
  void theIdsOfTheStreamAreThoseOfPokesAlone() {
    rooms.create("plan", "alice", "bob");
    try (Watcher alice = new Watcher(client, "alice");
        StreamClient _ = client.connected("bob")) {
      ServerSentEvent list = alice.event();
      assertThat(list.type()).isEqualTo("presence");
      assertThat(list.lastEventId()).isEqualTo(alice.connectedId());
      client.poke("alice");
      ServerSentEvent event = alice.event();
      while (!event.data().equals("sync")) {
        event = alice.event();
      }
      String synced = event.lastEventId();
      client.connected("bob").close();

      try (Watcher resumed =
          new Watcher(
              client.open(Watcher.request(client, "alice").with("Last-Event-ID", synced)))) {
        // a sync would come before the list
        assertThat(Told.of(resumed.event()).room()).isEqualTo("plan");
        assertThat(resumed.connectedId()).isEqualTo(synced);
      }
    }
  }

  @Test
  void whoJoinsIsToldAndShownAtOnce() {
    rooms.create("plan", "alice");
    rooms.create("own", "bob");
    try (Watcher alice = new Watcher(client, "alice");
        Watcher bob = new Watcher(client, "bob")) {
      alice.expect("plan", "alice");
      bob.expect("own", "bob");

      rooms.put("plan", "alice", "bob", "reader");

      alice.expect("plan", "alice", "bob");
      bob.await("plan", "alice", "bob");
      rooms.create("new", "bob");
      bob.expect("new", "bob");
      rooms.put("plan", "alice", "bob", "owner"); // is no news
      rooms.put("plan", "alice", "eve", "owner");
      try (StreamClient _ = client.connected("eve")) {
        alice.expect("plan", "alice", "bob", "eve");
      }
    }
  }

  @Test
  void whoIsTakenOutIsToldOfNobodyAnyMoreAndShownToNobody() {
    rooms.create("plan", "alice", "bob", "eve");
    rooms.create("other", "alice", "bob", "eve");
    try (Watcher alice = new Watcher(client, "alice");
        Watcher bob = new Watcher(client, "bob")) {
      bob.await("other", "alice", "bob");

      rooms.remove("plan", "alice", "bob");

      Told last = bob.next();
      while (!last.userIds().isEmpty()) { // what was on its way
        last = bob.next();
      }
      assertThat(last).isEqualTo(new Told("plan", 0, Map.of()));
      alice.await("plan", "alice");
      try (StreamClient _ = client.connected("eve")) {
        alice.await("plan", "alice", "eve");
        bob.expect("other", "alice", "bob", "eve");
      }
      assertThat(rooms.presence("plan", "bob").status()).isEqualTo(404);
    }
  }

  @Test
  void whoLeavesAndAllOfADeletedRoomAreToldTheirLast() {
    rooms.create("plan", "alice", "bob");
    try (Watcher alice = new Watcher(client, "alice");
        Watcher bob = new Watcher(client, "bob")) {
      alice.await("plan", "alice", "bob");
      bob.await("plan", "alice", "bob");

      rooms.remove("plan", "bob", "bob");
      bob.expect("plan");
      alice.expect("plan", "alice");
      rooms.put("plan", "alice", "bob", "reader");
      bob.await("plan", "alice", "bob");
      alice.expect("plan", "alice", "bob");
      rooms.delete("plan", "alice");
      alice.expect("plan");
      bob.expect("plan");

      rooms.create("plan", "bob");
      bob.expect("plan", "bob");
      rooms.create("last", "alice");
      alice.expect("last", "alice");
    }
  }

  @Test
  void aBigRoomsListNamesTheFirstAndCountsAll() {
    rooms.create("plan", "alice");
    StreamClient[] streams = new StreamClient[WatchedRoom.MAX_LISTED + 20];
    try (Watcher alice = new Watcher(client, "alice")) {
      for (int i = 0; i < streams.length; i++) {
        String userId = "user-%03d".formatted(i);
        rooms.put("plan", "alice", userId, "reader");
        streams[i] = client.connected(userId);
      }
      Told told = alice.next();
      while (told.count() < streams.length + 1) {
        told = alice.next();
      }

      assertThat(told.userIds())
          .hasSize(WatchedRoom.MAX_LISTED)
          .startsWith("alice", "user-000")
          .endsWith("user-098");
      assertThat(rooms.present("plan", "alice")).hasSize(streams.length + 1);
    } finally {
      for (StreamClient stream : streams) {
        stream.close();
      }
    }
  }
}
