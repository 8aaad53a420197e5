package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What a service does with users who would fill its disk. Each test has users of its own.
class StorageTest {
  private static final long PER_USER = 20_000;
  private static final long PER_ROOM = 10_000;
  private static final JsonValue LARGE = JsonValue.of("x".repeat(1_000));
  private static final JsonValue SMALL = JsonValue.of("x".repeat(10));

  private static TestService service;

  @BeforeAll
  static void start() {
    service = start("SYNC_COMPACTION_INTERVAL", "PT1H");
  }

  private static TestService start(String... more) {
    List<String> settings =
        new ArrayList<>(
            List.of(
                "LIMITS_STORAGE_PER_USER",
                "" + PER_USER,
                "LIMITS_STORAGE_PER_ROOM",
                "" + PER_ROOM));
    settings.addAll(List.of(more));
    return TestService.start(new TestMutators(), settings.toArray(String[]::new));
  }

  @AfterAll
  static void close() {
    service.close();
  }

  private static Replica replica(String userId) {
    return Replica.of(service.client(), userId);
  }

  private static JsonValue usage(TestService service, String userId) {
    HttpReply reply =
        service.client().send(HttpRequest.api("GET", "/usage").by(service.client().token(userId)));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("Cache-Control")).isEqualTo("no-store");
    return JsonValue.parse(reply.body());
  }

  private static long bytes(String userId) {
    return usage(service, userId).get("bytes").asLong();
  }

  private static double refused(String kind) {
    return service
        .client()
        .metrics()
        .getOrDefault("replistream_storage_refused_total{kind=\"" + kind + "\"}", 0.0);
  }

  /// Puts so much that the private space is as full as it can be of that.
  private static void fill(Replica replica) {
    List<JsonValue> mutations = new ArrayList<>();
    for (int i = 0; i < 30; i++) {
      mutations.add(replica.put("large/" + i, LARGE));
    }
    replica.push(mutations);
  }

  @Test
  void whatIsWrittenBeyondTheLimitIsAcknowledgedAndNotStored() {
    Replica eve = replica("eve1");
    double before = refused("user");

    fill(eve);

    eve.pull();
    assertThat(eve.acknowledged()).isEqualTo(30);
    assertThat(eve.view()).hasSizeBetween(15, 18);
    assertThat(bytes("eve1")).isBetween(PER_USER - 1_100, PER_USER);
    assertThat(refused("user") - before).isEqualTo(30 - eve.view().size());
  }

  @Test
  void whatIsRefusedIsLoggedWithItsCode() {
    try (LogCapture log = new LogCapture();
        TestService own =
            start("SYNC_COMPACTION_INTERVAL", "PT1H")) { // whose log has left out nothing yet
      fill(Replica.of(own.client(), "eve"));

      assertThat(log.lines("mutation-rejected"))
          .isNotEmpty()
          .allMatch(
              line -> line.contains("name=\"put\" reason=\"storage-full: the user takes 20000"));
      assertThat(log.lines("storage-full"))
          .isNotEmpty()
          .allMatch(line -> line.equals("event=storage-full kind=user user=\"eve\""));
    }
  }

  @Test
  void atTheLimitWhatDoesNotGrowGoesOnAndWhatIsFreedCanBeUsed() {
    Replica eve = replica("eve2");
    fill(eve);
    eve.pull();
    int held = eve.view().size();

    eve.push(
        eve.put("large/0", JsonValue.of("y".repeat(1_000))),
        eve.put("large/1", JsonValue.of("y".repeat(1_100))),
        eve.put("large/2", SMALL),
        eve.del("large/3"),
        eve.put("new", LARGE),
        eve.put("newer", LARGE));
    eve.pull();

    assertThat(eve.view())
        .containsEntry("large/0", JsonValue.of("y".repeat(1_000)))
        .containsEntry("large/1", LARGE)
        .containsEntry("large/2", SMALL)
        .containsEntry("new", LARGE)
        .doesNotContainKey("large/3")
        .hasSizeBetween(held, held + 1);
  }

  @Test
  void aRoomThatIsFullLeavesThePrivateSpacesOfItsMembersAlone() {
    Replica eve = replica("eve3");
    eve.push(eve.mutation("createRoom", JsonValue.of("storage3")));
    double before = refused("room");

    for (int i = 0; i < 15; i++) {
      eve.push(eve.put("storage3", "k" + i, LARGE));
    }
    eve.push(eve.put("mine", LARGE));
    eve.pull();

    assertThat(eve.view()).containsKey("mine").doesNotContainKey("k14");
    JsonValue room = usage(service, "eve3").get("rooms").asElements().getFirst();
    assertThat(room.get("id").asText()).isEqualTo("storage3");
    assertThat(room.get("limit").asLong()).isEqualTo(PER_ROOM);
    assertThat(room.get("bytes").asLong()).isBetween(PER_ROOM - 1_100, PER_ROOM);
    assertThat(refused("room") - before).isEqualTo(15.0 - (eve.view().size() - 1));
  }

  @Test
  void aFloodOfClientsEndsIn507AndTheClientsBeforeItGoOn() {
    Replica eve = replica("eve4");
    fill(eve);
    double before = refused("clients");

    HttpReply reply = eve.send();
    int clients = 0;
    try (LogCapture log = new LogCapture()) {
      while (reply.status() == 200 && clients < 1_000) {
        clients++;
        Replica tab = eve.tab();
        // what comes before the new client is applied, whatever comes of that
        reply = eve.send(eve.put("large/0", JsonValue.of(clients)), tab.put("k", SMALL));
      }

      assertThat(log.lines("storage-full"))
          .contains("event=storage-full kind=clients user=\"eve4\"");
    }

    assertThat(Problems.detail(reply, 507)).startsWith("This user takes so much of the disk");
    assertThat(refused("clients") - before).isOne();
    assertThat(bytes("eve4")).isLessThan(PER_USER * 5 / 4 + 500);
    eve.pull();
    assertThat(eve.view()).containsEntry("large/0", JsonValue.of(clients));
    eve.push(eve.del("large/1"));
    eve.pull();
    assertThat(eve.view()).doesNotContainKey("large/1");
  }

  @Test
  void aFloodOfClientGroupsThatNothingIsAcknowledgedOfEndsIn507Too() {
    fill(replica("eve5"));

    HttpReply reply;
    int groups = 0;
    do {
      groups++;
      Replica group = replica("eve5");
      reply = group.send(group.mutation(2, "put", JsonValue.ofNull()));
    } while (reply.status() == 200 && groups < 1_000);

    Problems.detail(reply, 507);
    assertThat(bytes("eve5")).isLessThan(PER_USER * 5 / 4 + 500);
  }

  @Test
  void aFloodOfTombstonesIsStoppedAndThenSweptAwayAndWhoSawThemPullsEverything() {
    try (TestService own = start("SYNC_COMPACTION_INTERVAL", "PT1H")) {
      Replica eve = Replica.of(own.client(), "eve");
      Replica other = Replica.of(own.client(), "eve");
      eve.push(eve.put("kept", SMALL));
      other.pull();
      String pad = "k".repeat(900);
      int written = 0;
      do {
        written++;
        eve.push(eve.put(pad + written, SMALL));
        eve.push(eve.del(pad + written));
      } while (usage(own, "eve").get("bytes").asLong() > (written - 1) * 960L && written < 100);

      assertThat(written).isBetween(15, 25);
      Eventually.holds(
          "the refusal wakes the compaction",
          () -> usage(own, "eve").get("bytes").asLong() < PER_USER / 8);
      assertThat(other.pull()).containsExactly("clear", "put kept");
      eve.push(eve.put("large", LARGE));
      other.pull();
      assertThat(other.view()).containsKeys("kept", "large");
    }
  }

  @Test
  void theUsageOfSomebodyWhoHasNothingIsNothing() {
    assertThat(usage(service, "nobody").toJson())
        .isEqualTo("{\"userId\":\"nobody\",\"bytes\":0,\"limit\":20000,\"rooms\":[]}");
  }

  @Test
  void whoMayNotCallIsToldNothingOfUsage() {
    Problems.detail(service.client().send(HttpRequest.api("GET", "/usage")), 401);
  }
}
