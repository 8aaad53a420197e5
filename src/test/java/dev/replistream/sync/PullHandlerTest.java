package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.data.RoomSettings;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.locks.LockSupport;
import java.util.stream.Stream;
import java.util.zip.GZIPInputStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// How answers to pulls come over the wire, small and large.
@Timeout(60)
class PullHandlerTest {
  /// More than the kernel and the queue take of an answer that nobody reads.
  private static final int MANY = 150_000;

  @TempDir private static Path directory;
  private static TestService service;
  private static ServiceClient client;

  @BeforeAll
  static void start() throws SQLException {
    String url = "jdbc:sqlite:" + directory.resolve("replistream.db");
    service =
        TestService.start(
            "DB_URL", url, "STREAM_WRITE_TIMEOUT", "PT1S", "SYNC_MAX_BODY", "4194304");
    client = service.client();
    fill(url, "rich", MANY);
    fill(url, "some", 20);
    join(url, "member", RoomSettings.MOST_PER_USER);
  }

  /// Makes a user a member of rooms whose ids are as long as ids can be.
  private static void join(String url, String user, int rooms) throws SQLException {
    try (var connection = DriverManager.getConnection(url);
        PreparedStatement space =
            connection.prepareStatement(
                "INSERT INTO space (id, version, compacted) VALUES (?, ?, 0)");
        PreparedStatement member =
            connection.prepareStatement("INSERT INTO member VALUES (?, ?, 'reader', 0)")) {
      connection.setAutoCommit(false);
      for (int i = 0; i < rooms; i++) {
        String room = String.format("%08d", i) + "\uffee".repeat(120);
        space.setString(1, "r/" + room);
        space.setLong(2, 1_000_000_000_000L);
        space.executeUpdate();
        member.setString(1, room);
        member.setString(2, user);
        member.executeUpdate();
      }
      connection.commit();
    }
  }

  @AfterAll
  static void close() {
    service.close();
  }

  /// Gives a user entries of about 100 bytes.
  private static void fill(String url, String user, int count) throws SQLException {
    try (var connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      statement.execute(
          "INSERT INTO space (id, version, compacted) VALUES ('u/%s', 1, 0)".formatted(user));
      statement.execute(
          """
          WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < %d)
          INSERT INTO entry (space, key, born, version, value, changed_at)
          SELECT 'u/%s', CAST(printf('key%%08d', i) AS BLOB), 1, 1,
          CAST(printf('{"id":%%d,"text":"%s"}', i) AS BLOB), 0 FROM n
          """
              .formatted(count, user, "x".repeat(80)));
    }
  }

  private static HttpRequest pull(Replica replica, JsonValue cookie) {
    return HttpRequest.api("POST", "/pull")
        .by(client.token(replica.userId))
        .with("Content-Type", "application/json")
        .with(replica.pullBody(cookie).toJson());
  }

  private static HttpRequest pullAll(String user) {
    return pull(Replica.of(client, user), JsonValue.ofNull());
  }

  @Test
  void aSmallAnswerSaysHowLongItIs() {
    HttpReply reply = client.send(pullAll("some"));

    assertThat(reply.header("Content-Length")).isEqualTo(Integer.toString(reply.body().length()));
    assertThat(reply.header("Content-Type")).isEqualTo("application/json");
    assertThat(reply.header("Content-Encoding")).isNull();
    assertThat(reply.headers("Vary")).contains("Accept-Encoding");
  }

  @Test
  void aCookieOfAllTheRoomsThatAUserCanBeInComesBack() {
    Replica replica = Replica.of(client, "member");
    replica.pull();

    assertThat(replica.cookie().toBytes()).hasSizeGreaterThan(760_000).hasSizeLessThan(1 << 20);
    assertThat(replica.pull()).isEmpty();
  }

  @Test
  void theAnswerToACookieFromElsewhereIsShortHoweverLongThatIs() {
    Replica replica = Replica.of(client, "some");
    JsonValue held = JsonValue.of("x".repeat(900_000));

    JsonValue answer = JsonValue.parse(client.send(pull(replica, held)).body());

    assertThat(answer.get("cookie").toBytes()).hasSizeLessThan(2_000);
    assertThat(JavaScript.compareCookies(answer.get("cookie").get("order"), held)).isPositive();
    assertThat(answer.get("patch").asElements()).hasSize(21);
  }

  @Test
  void aPullOfMoreThanAMebibyteIsRefused() {
    Replica replica = Replica.of(client, "some");

    Problems.detail(client.send(pull(replica, JsonValue.of("x".repeat(1 << 20)))), 413);
  }

  @Test
  void anUnchangedAnswerIsTheVeryCookie() {
    Replica replica = Replica.of(client, "some");
    replica.pull();

    HttpReply reply = client.send(pull(replica, replica.cookie()));

    assertThat(reply.body())
        .isEqualTo(
            "{\"cookie\":"
                + replica.cookie().toJson()
                + ",\"lastMutationIDChanges\":{},\"patch\":[]}");
  }

  @Test
  void aLargeAnswerStreamsAndTheConnectionServesTheNextRequest() {
    try (HttpConnection connection = new HttpConnection(service.application().port())) {
      for (int i = 0; i < 2; i++) {
        HttpReply reply = connection.send(pullAll("rich").toBytes()).reply();

        assertThat(reply.header("Transfer-Encoding")).isEqualTo("chunked");
        assertThat(JsonValue.parse(reply.body()).get("patch").asElements()).hasSize(MANY + 1);
      }
    }
  }

  private static HttpReply send(HttpRequest request) {
    return client.send(request);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gzip",
        "GZIP",
        "x-gzip",
        "gzip, deflate",
        "br, gzip;q=0.5",
        "gzip;q=0.001",
        "*",
        "br;q=1, *;q=0.1",
        "identity;q=0, gzip"
      })
  void anAnswerIsZippedForWhoTakesIt(String accepted) throws IOException {
    String plain = send(pullAll("some")).body();

    try (HttpConnection connection = new HttpConnection(service.application().port())) {
      connection.send(pullAll("some").with("Accept-Encoding", accepted).toBytes());
      String head = connection.head();
      assertThat(head).contains("Content-Encoding: gzip\r\n").contains("Vary: Accept-Encoding");
      byte[] zipped = new byte[length(head)];
      int count = 0;
      while (count < zipped.length) {
        byte[] part = new byte[zipped.length - count];
        int read = connection.read(part, HttpConnection.PATIENCE);
        assertThat(read).isPositive();
        System.arraycopy(part, 0, zipped, count, read);
        count += read;
      }
      assertThat(zipped.length).isLessThan(plain.length() / 2);
      assertThat(patch(unzip(zipped))).isEqualTo(patch(plain));
    }
  }

  private static int length(String head) {
    return head.lines()
        .filter(line -> line.startsWith("Content-Length: "))
        .mapToInt(line -> Integer.parseInt(line.substring("Content-Length: ".length())))
        .findFirst()
        .orElseThrow();
  }

  private static JsonValue patch(String answer) {
    return JsonValue.parse(answer).get("patch");
  }

  private static String unzip(byte[] zipped) throws IOException {
    try (var in = new GZIPInputStream(new ByteArrayInputStream(zipped))) {
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "identity", "br", "gzip;q=0", "gzip; q=0.000", "*;q=0", "gzip;q=0, *", "zip"})
  void anAnswerIsPlainForWhoDoesNotTakeIt(String accepted) {
    HttpReply reply = send(pullAll("some").with("Accept-Encoding", accepted));

    assertThat(reply.header("Content-Encoding")).isNull();
    assertThat(reply.headers("Vary")).contains("Accept-Encoding");
    assertThat(JsonValue.parse(reply.body()).get("patch").asElements()).hasSize(21);
  }

  @Test
  void anAnswerOfAKilobyteIsNotWorthIt() {
    HttpReply reply = send(pullAll("nobody").with("Accept-Encoding", "gzip"));

    assertThat(reply.header("Content-Encoding")).isNull();
  }

  @Test
  void aLargeAnswerIsZippedWhileItStreams() throws Exception {
    String body;
    try (HttpConnection connection = new HttpConnection(service.application().port())) {
      connection.send(
          pullAll("rich").with("Accept-Encoding", "gzip").with("Connection", "close").toBytes());
      assertThat(connection.head()).contains("Content-Encoding: gzip").contains("chunked");
      body = unzip(unchunk(connection.rest()));
    }

    assertThat(JsonValue.parse(body).get("patch").asElements()).hasSize(MANY + 1);
  }

  private static byte[] unchunk(byte[] chunked) throws IOException {
    var out = new ByteArrayOutputStream();
    int at = 0;
    while (true) {
      int end = at;
      while (chunked[end] != '\r') {
        end++;
      }
      int length =
          Integer.parseInt(new String(chunked, at, end - at, StandardCharsets.US_ASCII), 16);
      if (length == 0) {
        return out.toByteArray();
      }
      out.write(chunked, end + 2, length);
      at = end + 2 + length + 2;
    }
  }

  /// Connections that have asked for all and read no more than the beginning.
  private static List<HttpConnection> stalled(int count) {
    List<HttpConnection> connections = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      HttpConnection connection = new HttpConnection(service.application().port(), 4096);
      connection.send(pullAll("rich").toBytes());
      assertThat(connection.head()).startsWith("HTTP/1.1 200");
      connections.add(connection);
    }
    return connections;
  }

  @Test
  void clientsThatLeaveInTheMiddleHoldNothing() {
    try (LogCapture log = new LogCapture()) {
      for (int round = 0; round < 3; round++) {
        stalled(8).forEach(HttpConnection::reset);
        // all snapshots would be in use
        assertThat(send(pullAll("some")).status()).isEqualTo(200);
      }

      assertThat(log.warnings()).isEmpty();
    }
  }

  @Test
  void clientsThatStopReadingHoldNothingAfterTheWriteTimeout() throws InterruptedException {
    AtomicBoolean spilled = new AtomicBoolean();
    AtomicBoolean isOver = new AtomicBoolean();
    Thread watch =
        Thread.ofPlatform()
            .start(() -> { // from the start, as they are soon gone
              while (!isOver.get() && !spilled.get()) {
                spilled.set(openSpills() > 0);
              }
            });
    try (LogCapture log = new LogCapture()) {
      List<HttpConnection> connections = stalled(8);

      assertThat(send(pullAll("some")).status()).isEqualTo(200);

      Eventually.holds("their answers wait in files", spilled::get);
      Eventually.holds("they are cut off", () -> openSpills() == 0);
      for (HttpConnection connection : connections) {
        assertThat(isWhole(connection.rest())).isFalse();
        connection.close();
      }
      assertThat(log.warnings()).isEmpty();
    } finally {
      isOver.set(true);
      watch.join();
    }
  }

  @Test
  void manyPullsOfOneUserThatAreNotReadHoldNobodyUp() {
    List<HttpConnection> unread = new ArrayList<>();
    try {
      for (int i = 0; i < 60; i++) {
        HttpConnection connection = new HttpConnection(service.application().port(), 4096);
        connection.send(pullAll("rich").toBytes());
        unread.add(connection);
      }
      List<Long> millis = new ArrayList<>();
      for (int i = 0; i < 7; i++) {
        long start = System.nanoTime();
        assertThat(send(pullAll("some")).status()).isEqualTo(200);
        millis.add(Duration.ofNanos(System.nanoTime() - start).toMillis());
      }

      List<Long> sorted = millis.stream().sorted().toList();
      assertThat(sorted.get(sorted.size() / 2)).as("%s", millis).isLessThan(1_000);
      assertThat(sorted.getLast()).as("%s", millis).isLessThan(4_000); // no turn was waited for
    } finally {
      unread.forEach(HttpConnection::reset);
    }
  }

  private static long openSpills() {
    try (Stream<Path> descriptors = Files.list(Path.of("/proc/self/fd"))) {
      return descriptors.filter(PullHandlerTest::isSpill).count();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static boolean isSpill(Path descriptor) {
    try {
      return Files.readSymbolicLink(descriptor).toString().contains(".spill");
    } catch (IOException _) {
      return false; // closed meanwhile
    }
  }

  private static boolean isWhole(byte[] chunked) {
    return new String(chunked, StandardCharsets.UTF_8).endsWith("]}\r\n0\r\n\r\n");
  }

  @Test
  void aClientThatReadsSlowlyButSteadilyGetsTheWholeAnswer() throws IOException {
    long start = System.nanoTime();
    try (HttpConnection connection = new HttpConnection(service.application().port(), 1 << 16)) {
      connection.send(pullAll("rich").with("Connection", "close").toBytes());
      assertThat(connection.head()).startsWith("HTTP/1.1 200");

      var chunked = new ByteArrayOutputStream();
      byte[] part = new byte[32 << 10];
      for (int count; (count = connection.read(part, HttpConnection.PATIENCE)) > 0; ) {
        chunked.write(part, 0, count);
        LockSupport.parkNanos(5_000_000);
      }

      String body = new String(unchunk(chunked.toByteArray()), StandardCharsets.UTF_8);
      assertThat(JsonValue.parse(body).get("patch").asElements()).hasSize(MANY + 1);
    }
    // longer than the write timeout, and than the database waits
    assertThat(Duration.ofNanos(System.nanoTime() - start)).isGreaterThan(Duration.ofSeconds(2));
  }

  private static void change(String url, String... statements) throws SQLException {
    try (var connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      for (String each : statements) {
        statement.execute(each);
      }
    }
  }

  @Test
  void theWholeViewIsTheAnswerOnlyWhereItIsSmallerThanTheChanges() throws SQLException {
    String url = "jdbc:sqlite:" + directory.resolve("replistream.db");
    fill(url, "busy", 210_000);
    change(url, "UPDATE space SET version = 2 WHERE id = 'u/busy'");
    Replica replica = Replica.of(client, "busy");
    replica.pull();
    change(
        url,
        "UPDATE space SET version = 3 WHERE id = 'u/busy'",
        "UPDATE entry SET version = 3, value = CAST('1' AS BLOB) WHERE space = 'u/busy'");

    assertThat(replica.pull()).hasSize(210_000).doesNotContain("clear");

    assertThat(replica.view().values()).containsOnly(JsonValue.of(1));
    change(
        url,
        "UPDATE space SET version = 4 WHERE id = 'u/busy'",
        "INSERT INTO tombstone SELECT space, 4, key, born, 0 FROM entry"
            + " WHERE space = 'u/busy' AND key >= CAST('key00000100' AS BLOB)",
        "DELETE FROM entry WHERE space = 'u/busy' AND key >= CAST('key00000100' AS BLOB)");

    assertThat(replica.pull()).contains("clear");

    assertThat(replica.view()).hasSize(100);
  }
}
