package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.cli.CommandProcess;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// What a restart of the process means for its clients: after a clean one those who missed a poke
/// get one `sync` and the others none, after any other each gets one. What needs no process of its
/// own to show that is in {@link RestartInProcessTest}.
@Timeout(180)
final class RestartTest {
  private static final Pattern STARTED =
      Pattern.compile(".*event=start address=127\\.0\\.0\\.1:(\\d+) admin-port=(\\d+) .*");
  private static final Duration A_DRAIN = Duration.ofSeconds(20);

  @TempDir private Path directory;

  private final Map<String, String> environment = new HashMap<>();
  private Path data = Path.of("");
  private CommandProcess process;
  private ServiceClient client;

  @BeforeEach
  void start() throws Exception {
    data = directory.resolve("data");
    environment.put("REPLISTREAM_HOST", "127.0.0.1");
    environment.put("REPLISTREAM_PORT", "0");
    environment.put("REPLISTREAM_ADMIN_PORT", "0");
    environment.put("REPLISTREAM_AUTH_SECRET", TestService.SECRET);
    environment.put("REPLISTREAM_STREAM_DRAIN", "PT0S");
    environment.put("REPLISTREAM_DATA_DIR", data.toString());
    startAgain();
  }

  @AfterEach
  void kill() throws InterruptedException {
    process.close();
    process.exitCode();
  }

  private void startAgain() throws Exception {
    process = CommandProcess.start(environment, List.of(), "serve");
    Matcher started = STARTED.matcher(process.out().await("event=start"));
    assertThat(started.matches()).isTrue();
    client =
        new ServiceClient(
            Integer.parseInt(started.group(1)),
            Integer.parseInt(started.group(2)),
            TestService.settings(),
            Clock.systemUTC());
  }

  private void stop() throws InterruptedException {
    process.terminate();
    assertThat(process.exitCode()).isZero();
    assertThat(process.out().toString()).contains("event=stop");
  }

  private void restart() throws Exception {
    stop();
    assertThat(warnings()).isEmpty();
    startAgain();
  }

  private List<String> warnings() {
    return process.out().toString().lines().filter(line -> line.contains("WARN")).toList();
  }

  /// A client that comes, is poked, and goes, with the id that it saw last.
  private String idOf(String user) {
    try (StreamClient stream = client.connected(user)) {
      client.poke(user);
      return stream.expect("sync").lastEventId();
    }
  }

  /// The stamp that the user's last poke has, as a client learns it that comes for the first time.
  private long latest(String user) {
    try (StreamClient stream = client.open(client.stream(user))) {
      return stream.expect("connected").stamp();
    }
  }

  /// A client comes back and is told nothing: the first sync is that of the next poke.
  ///
  /// @return the id of that
  private String expectNothing(String user, String lastEventId) {
    long latest = latest(user);
    try (StreamClient stream =
        client.open(client.stream(user).with("Last-Event-ID", lastEventId))) {
      ServerSentEvent connected = stream.expect("connected");
      client.poke(user);
      ServerSentEvent sync = stream.expect("sync");

      assertThat(connected.lastEventId()).isEqualTo(lastEventId);
      assertThat(sync.stamp()).isGreaterThan(latest);
      return sync.lastEventId();
    }
  }

  /// A client comes back and is told once; then that of the next poke follows.
  ///
  /// @return the id of that
  private String expectOneSync(String user, String lastEventId) {
    long latest = latest(user);
    try (StreamClient stream =
        client.open(client.stream(user).with("Last-Event-ID", lastEventId))) {
      stream.expect("connected");
      ServerSentEvent catchUp = stream.expect("sync");
      client.poke(user);
      ServerSentEvent sync = stream.expect("sync");

      assertThat(catchUp.stamp()).isEqualTo(latest);
      assertThat(sync.stamp()).isGreaterThan(latest);
      return sync.lastEventId();
    }
  }

  @Test
  void afterCleanRestartsOnlyWhoMissedSomethingIsTold() throws Exception {
    String alice = idOf("alice");
    String bob = idOf("bob");
    client.poke("bob");
    restart();
    alice = expectNothing("alice", alice);
    bob = expectOneSync("bob", bob);
    String carol = idOf("carol");
    client.poke("alice");

    restart();

    expectOneSync("alice", alice);
    expectNothing("bob", bob);
    expectNothing("carol", carol);
    assertThat(data.resolve("cursor")).doesNotExist();
  }

  @Test
  void afterAKillEachIsToldOnceAlsoWhereTheRunBeganFromAFile() throws Exception {
    String alice = idOf("alice");
    restart();
    alice = expectNothing("alice", alice);
    String bob = idOf("bob");
    kill();

    startAgain();

    alice = expectOneSync("alice", alice);
    bob = expectOneSync("bob", bob);
    restart();
    expectNothing("alice", alice);
    expectNothing("bob", bob);
  }

  @Test
  void aPokeThatComesInWhileStreamsAreDrainedIsToldAfterTheRestart() throws Exception {
    kill();
    environment.put("REPLISTREAM_STREAM_DRAIN", "PT4S");
    startAgain();
    String alice = idOf("alice");
    String bob = idOf("bob");
    StreamClient first = client.resumed("alice", alice);
    StreamClient last = client.resumed("bob", bob);
    try (first;
        last) {
      process.terminate();
      Eventually.holds("one stream has ended", () -> hasEnded(first) || hasEnded(last));
      String ended = first.hasEnded() ? "alice" : "bob";
      assertThat(first.hasEnded() && last.hasEnded()).isFalse();

      assertThat(client.poke(ended)).isZero();

      assertThat((first.hasEnded() ? last : first).untilEnd(A_DRAIN)).isEmpty();
      assertThat(process.exitCode()).isZero();
      startAgain();
      if (ended.equals("alice")) {
        expectOneSync("alice", alice);
        expectNothing("bob", bob);
      } else {
        expectOneSync("bob", bob);
        expectNothing("alice", alice);
      }
    }
  }

  private static boolean hasEnded(StreamClient stream) {
    assertThat(stream.poll(Duration.ofMillis(1))).isNull();
    return stream.hasEnded();
  }

  @Test
  void aStartThatFailsDoesNotUseUpTheFile() throws Exception {
    String alice = idOf("alice");
    String bob = idOf("bob");
    client.poke("bob");
    stop();
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      for (String key : List.of("REPLISTREAM_PORT", "REPLISTREAM_ADMIN_PORT")) {
        environment.put(key, Integer.toString(taken.getLocalPort()));
        process = CommandProcess.start(environment, List.of(), "serve");
        assertThat(process.exitCode()).isEqualTo(2);
        assertThat(process.err().toString()).contains("can't listen on").hasLineCount(1);
        environment.put(key, "0");
      }
      environment.put("REPLISTREAM_DB_URL", "jdbc:sqlite:" + data);
      process = CommandProcess.start(environment, List.of(), "serve");
      assertThat(process.exitCode()).isEqualTo(2);
      environment.remove("REPLISTREAM_DB_URL");
    }

    startAgain();

    expectNothing("alice", alice);
    expectOneSync("bob", bob);
  }

  @Test
  void aDiskThatIsFullAtTheStopIsAWarningAndANewEpochNextTime() throws Exception {
    String alice = idOf("alice");
    limitFiles(0);
    stop();
    assertThat(warnings()).anyMatch(line -> line.contains("event=cursor-lost"));
    assertThat(data.resolve("cursor")).doesNotExist();

    startAgain();

    alice = expectOneSync("alice", alice);
    pokeUsersWithLongNames();
    limitFiles(1_000_000); // the database has room, and the file has not
    stop();
    assertThat(warnings()).singleElement().asString().contains("event=cursor-lost", "cursor");
    assertThat(data.resolve("cursor")).doesNotExist();
    assertThat(data.resolve("cursor.draft")).doesNotExist();
    startAgain();
    expectOneSync("alice", alice);
  }

  private void pokeUsersWithLongNames() {
    String name = "a".repeat(120);
    for (int i = 0; i < 25; i++) {
      StringBuilder users = new StringBuilder();
      for (int j = 0; j < 400; j++) {
        users.append(users.isEmpty() ? "\"" : ",\"").append(name).append(i * 400 + j).append('"');
      }
      HttpReply reply =
          client.send(
              HttpRequest.api("POST", "/poke-user")
                  .by(client.token("backend", "replicache:poke"))
                  .with("{\"userIds\":[" + users + "]}"));
      assertThat(reply.status()).isEqualTo(200);
    }
  }

  /// No file of the process may grow beyond this, as on a disk that is full.
  private void limitFiles(long bytes) throws IOException, InterruptedException {
    Process limit =
        new ProcessBuilder("prlimit", "--pid", Long.toString(process.pid()), "--fsize=" + bytes)
            .inheritIO()
            .start();
    assertThat(limit.waitFor()).isZero();
  }
}
