package dev.replistream.backend;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.auth.Caller;
import dev.replistream.db.TestPostgres;
import dev.replistream.sync.Replica;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Exports and imports between services over raw HTTP.
class ArchiveTest {
  private static TestService start(String dialect) {
    return dialect.equals("sqlite")
        ? TestService.start(BackendRules.RULES)
        : TestService.start(
            BackendRules.RULES, "DB_URL", TestPostgres.newDatabase(), "DB_USER", "postgres");
  }

  private static String backend(TestService service) {
    return service.client().token("backend", Caller.WRITE_SCOPE);
  }

  private static HttpReply send(TestService service, String method, String route, String body) {
    return service.client().send(HttpRequest.api(method, route).by(backend(service)).with(body));
  }

  private static String export(TestService service) {
    HttpReply reply = service.client().send(HttpRequest.api("GET", "/export").by(backend(service)));
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("Content-Type")).isEqualTo("application/x-ndjson");
    return reply.body();
  }

  /// The lines in an order of their own, without what differs between two exports of the same.
  private static List<String> sorted(String export) {
    return export
        .lines()
        .map(line -> line.replaceAll("\"at\":\"[^\"]*\",\"lines\":\\d+", ""))
        .sorted()
        .toList();
  }

  /// Rooms, members, invitations, links, entries, rejections and tombstones, by a history of
  /// chance.
  private static List<Replica> fill(TestService service, Random random) {
    List<Replica> replicas = new ArrayList<>();
    StringBuilder ops = new StringBuilder();
    for (int room = 0; room < 4; room++) {
      ops.append(
          "{\"op\":\"createRoom\",\"room\":\"r%s\",\"owner\":\"u%s\"},".formatted(room, room));
    }
    for (int user = 0; user < 5; user++) {
      ops.append(
          "{\"op\":\"putMember\",\"room\":\"r%s\",\"userId\":\"u%s\",\"role\":\"writer\"},"
              .formatted(random.nextInt(4), user + 5));
    }
    ops.append(
        "{\"op\":\"put\",\"user\":\"ü\\\"\u2028\",\"key\":\"\\ud800 ä\",\"value\":[1.0,\"é\"]}");
    assertThat(send(service, "POST", "/transactions", "{\"ops\":[" + ops + "]}").status())
        .isEqualTo(200);
    for (int user = 0; user < 10; user++) {
      Replica replica = Replica.of(service.client(), "u" + user);
      for (int round = 0; round < 8; round++) {
        String key = "k" + random.nextInt(6);
        JsonValue args =
            JsonValue.object().with("key", key).with("value", random.nextInt(100)).build();
        replica.push(
            random.nextBoolean()
                ? replica.put("r" + random.nextInt(4), key, JsonValue.of(round))
                : replica.mutation(random.nextInt(4) == 0 ? "del" : "put", args),
            replica.mutation("refuse", JsonValue.ofNull()));
      }
      replica.pull();
      replicas.add(replica);
    }
    String invite = "{\"role\":\"reader\"}";
    HttpRequest asOwner =
        HttpRequest.api("PUT", "/rooms/r0/members/guest").by(service.client().token("u0"));
    assertThat(service.client().send(asOwner.with(invite)).status()).isEqualTo(202);
    HttpRequest link = HttpRequest.api("POST", "/rooms/r0/links").by(service.client().token("u0"));
    assertThat(service.client().send(link.with(invite)).status()).isEqualTo(201);
    return replicas;
  }

  @ParameterizedTest
  @CsvSource({"sqlite, postgresql", "postgresql, sqlite"})
  void whatWasExportedIsTheSameAfterAnImportElsewhere(String from, String to) {
    long seed = System.nanoTime();
    try (TestService one = start(from);
        TestService other = start(to)) {
      List<Replica> replicas = fill(one, new Random(seed));
      String export = export(one);

      HttpReply imported = send(other, "POST", "/import", export);

      assertThat(imported.status()).as("seed %s: %s", seed, imported).isEqualTo(200);
      assertThat(imported.json().getInt("lines")).isEqualTo(export.lines().count() - 2);
      assertThat(sorted(export(other))).as("seed %s", seed).isEqualTo(sorted(export));
      for (Replica replica : replicas) {
        Replica moved = replica.at(other.client());
        moved.pull();
        replica.pull();
        assertThat(moved.view()).as("seed %s", seed).isEqualTo(replica.view());
        assertThat(moved.acknowledged()).isEqualTo(replica.acknowledged());
        moved.push(moved.put("after", JsonValue.of(1)));
        moved.pull();
        assertThat(moved.view()).containsEntry("after", JsonValue.of(1));
      }
      assertThat(Problems.detail(send(other, "POST", "/import", export), 409))
          .isEqualTo("The database has something in it already: import into a new one.");
    }
  }

  @Test
  void anImportThatWasCutOffIsSentAgainAndDoublesNothing() {
    try (TestService one = start("sqlite");
        TestService other = start("sqlite")) {
      fill(one, new Random(1));
      String export = export(one);
      String part = export.substring(0, export.indexOf('\n', export.length() * 2 / 3) - 5);

      assertThat(Problems.detail(send(other, "POST", "/import", part), 400)).startsWith("Line ");
      try (HttpConnection connection = other.client().connect()) {
        HttpRequest cut = HttpRequest.api("POST", "/import").by(backend(other));
        byte[] head = cut.with("Content-Length", Integer.toString(export.length() + 100)).toBytes();
        connection.send(head);
        connection.send(part.getBytes(StandardCharsets.UTF_8));
      }
      HttpReply imported = send(other, "POST", "/import", export);
      while (imported.status() == 503) { // till the one before is seen to be cut off
        imported = send(other, "POST", "/import", export);
      }

      assertThat(imported.status()).as(imported.toString()).isEqualTo(200);
      assertThat(sorted(export(other))).isEqualTo(sorted(export));
      assertThat(
              other
                  .client()
                  .send(HttpRequest.api("GET", "/rooms/r0/members").by(backend(other)))
                  .body())
          .isEqualTo(
              one.client()
                  .send(HttpRequest.api("GET", "/rooms/r0/members").by(backend(one)))
                  .body());
    }
  }

  @Test
  void aLineThatIsLongerThanAnyValueIsNotKept() {
    try (TestService service = start("sqlite")) {
      String text =
          "{\"kind\":\"replistream\",\"format\":1}\n{\"kind\":\"" + "x".repeat(2 << 20) + "\"}\n";
      assertThat(Problems.detail(send(service, "POST", "/import", text), 400))
          .isEqualTo(
              "Line 2: it has more than 1114112 bytes: replistream.sync.max-value is to be larger.");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''|The export is cut off behind line 0: its last line is missing.",
        "{}|Line 1: it is no object that begins with kind.",
        "{'kind':'room','id':'r','created_at':1}|Line 1: it does not say that this is an export of format 1.",
        "{'kind':'replistream','format':2}|Line 1: it does not say that this is an export of format 1.",
        "H{'kind':'meta','name':'epoch'}|Line 2: its kind is none that is known here.",
        "H{'kind':'room','id':'r'}|Line 2: created_at is missing.",
        "H{'kind':'room','id':1,'created_at':1}|Line 2: id is not what it has to be.",
        "H{'kind':'room','id':'r','created_at':1,'x':1}|Line 2: it has a member that is none of its kind, or twice.",
        "H{'kind':'member','room':'r','user_id':'u','role':'king','since':1}|Line 2: role is not what it has to be.",
        "H{'kind':'room','id':'a\\u0001','created_at':1}|Line 2: id is not what it has to be.",
        "H{'kind':'entry','space':'x/a','key':'k','born':1,'version':1,'changed_at':1,'value':1}|Line 2: space is not what it has to be.",
        "H{'kind':'room'|Line 2: it is not JSON: line 1, column 15.",
        "H{'kind':'room','id':'r','created_at':1}|The export is cut off behind line 2: its last line is missing.",
        "H{'kind':'end','lines':1}|Line 2: it speaks of another number of lines than there were.",
        "H{'kind':'end','lines':0}N{'kind':'end','lines':0}|Line 3: it comes behind the end.",
      })
  void whatIsWrongInAnImportIsNamedByItsLine(String body, String detail) {
    try (TestService service = start("sqlite")) {
      String text =
          body.replace('\'', '"')
              .replace("H", "{\"kind\":\"replistream\",\"format\":1}\n")
              .replace("N", "\n");
      assertThat(Problems.detail(send(service, "POST", "/import", text), 400)).isEqualTo(detail);
    }
  }

  @Test
  void bothAreForBackendsThatMayWrite() {
    try (TestService service = start("sqlite")) {
      String token = service.client().token("alice", Caller.READ_SCOPE);
      Problems.detail(service.client().send(HttpRequest.api("GET", "/export").by(token)), 403);
      Problems.detail(service.client().send(HttpRequest.api("POST", "/import").by(token)), 403);
    }
  }

  @Test
  void anExportOfNothingIsWhole() {
    try (TestService service = start("sqlite")) {
      assertThat(export(service).lines())
          .hasSize(2)
          .last()
          .isEqualTo("{\"kind\":\"end\",\"lines\":0}");
    }
  }
}
