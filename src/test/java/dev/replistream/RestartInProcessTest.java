package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import dev.replistream.db.TestPostgres;
import dev.replistream.sync.Replica;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// Restarts beside another node on the same PostgreSQL, one that a push outlasts, and those after
/// which the data directory is not as the service left it.
@Timeout(120)
class RestartInProcessTest {
  @TempDir private Path directory;

  private String idOf(TestService service, String user) {
    try (StreamClient stream = service.client().connected(user)) {
      service.client().poke(user);
      return stream.expect("sync").lastEventId();
    }
  }

  /// Whether a client that comes back is told that it missed something, by the first sync that it
  /// reads after another poke.
  private static boolean isTold(TestService service, String user, String lastEventId) {
    ServiceClient client = service.client();
    long latest;
    try (StreamClient newcomer = client.open(client.stream(user))) {
      latest = newcomer.expect("connected").stamp();
    }
    try (StreamClient stream = client.resumed(user, lastEventId)) {
      client.poke(user);
      boolean isTold = stream.expect("sync").stamp() == latest;
      if (isTold) {
        assertThat(stream.expect("sync").stamp()).isGreaterThan(latest);
      }
      return isTold;
    }
  }

  private TestService node(String url, String name) {
    return TestService.start(
        "DB_URL", url, "DB_USER", "postgres", "DATA_DIR", directory.resolve(name).toString());
  }

  @Test
  void onPostgresqlTooWhoMissedNothingIsToldNothing() {
    String url = TestPostgres.newDatabase();
    String alice;
    String bob;
    try (TestService one = node(url, "one")) {
      Replica replica = Replica.of(one.client(), "carol");
      replica.push(replica.put("a", JsonValue.of(1)));
      alice = idOf(one, "alice");
      bob = idOf(one, "bob");
      one.client().poke("bob");
    }
    try (TestService one = node(url, "one")) {
      assertThat(isTold(one, "alice", alice)).isFalse();
      assertThat(isTold(one, "bob", bob)).isTrue();
    }
  }

  @Test
  void aPushThroughAnotherNodeWhileThisOneIsDownIsAGapForEverybody() {
    String url = TestPostgres.newDatabase();
    try (TestService other = node(url, "other")) {
      String alice;
      try (TestService one = node(url, "one")) {
        alice = idOf(one, "alice");
      }
      Replica replica = Replica.of(other.client(), "alice");
      replica.push(replica.put("a", JsonValue.of(1)));
      try (TestService one = node(url, "one")) {
        assertThat(isTold(one, "alice", alice)).isTrue();
      }
    }
  }

  @Test
  void anotherNodeThatStartedMeanwhileIsAGapForEverybody() {
    String url = TestPostgres.newDatabase();
    String alice;
    try (TestService one = node(url, "one")) {
      alice = idOf(one, "alice");
    }
    node(url, "other").close();
    try (TestService one = node(url, "one")) {
      assertThat(isTold(one, "alice", alice)).isTrue();
    }
  }

  @Test
  void twoNodesOnOneDataDirectoryLoseNothingAndStart() {
    String url = TestPostgres.newDatabase();
    String alice;
    String bob;
    try (LogCapture log = new LogCapture()) {
      try (TestService one = node(url, "same");
          TestService other = node(url, "same")) {
        alice = idOf(one, "alice");
        bob = idOf(other, "bob");
        one.client().poke("alice");
        other.client().poke("bob");
      }
      try (TestService one = node(url, "same");
          TestService other = node(url, "same")) {
        assertThat(isTold(one, "alice", alice)).isTrue();
        assertThat(isTold(one, "bob", bob)).isTrue();
        assertThat(isTold(other, "alice", alice)).isTrue();
        assertThat(isTold(other, "bob", bob)).isTrue();
      }
      assertThat(log.warnings()).isEmpty();
    }
  }

  private static String[] on(Path data) {
    return new String[] {"DATA_DIR", data.toString()};
  }

  @Test
  void aDamagedFileIsOneWarningAndANewEpoch() throws Exception {
    String alice;
    try (TestService service = TestService.start(on(directory))) {
      alice = idOf(service, "alice");
    }
    byte[] bytes = Files.readAllBytes(directory.resolve("cursor"));
    bytes[bytes.length / 2] ^= 1;
    Files.write(directory.resolve("cursor"), bytes);

    try (LogCapture log = new LogCapture();
        TestService service = TestService.start(on(directory))) {
      assertThat(log.warnings()).singleElement().asString().contains("event=cursor-lost");
      assertThat(isTold(service, "alice", alice)).isTrue();
      alice = idOf(service, "alice");
    }
    try (TestService service = TestService.start(on(directory))) {
      assertThat(isTold(service, "alice", alice)).isFalse();
    }
  }

  @Test
  void anOldFileOrAnOldDatabasePutBackByHandMeansANewEpoch() throws Exception {
    Path data = Files.createDirectory(directory.resolve("data"));
    String alice;
    try (TestService service = TestService.start(on(data))) {
      alice = idOf(service, "alice");
    }
    Path backup = copy(data, "backup");
    Path killed;
    try (TestService service = TestService.start(on(data))) {
      service.client().poke("alice"); // while she is away
      killed = copy(data, "killed"); // what SIGKILL would leave
    }
    Files.copy(backup.resolve("cursor"), killed.resolve("cursor"));
    String later;
    try (TestService service = TestService.start(on(killed))) {
      assertThat(isTold(service, "alice", alice)).isTrue();
      later = idOf(service, "alice");
    }

    Path mixed = copy(backup, "mixed");
    Files.copy(
        killed.resolve("cursor"), mixed.resolve("cursor"), StandardCopyOption.REPLACE_EXISTING);
    try (TestService service = TestService.start(on(mixed))) {
      assertThat(isTold(service, "alice", later)).isTrue();
      assertThat(isTold(service, "alice", alice)).isTrue();
    }
  }

  @Test
  void whoWasToldMoreThanAFullBackupKnowsIsToldOnce() throws Exception {
    Path data = Files.createDirectory(directory.resolve("data"));
    String alice;
    String bob;
    try (TestService service = TestService.start(on(data))) {
      alice = idOf(service, "alice");
      bob = idOf(service, "bob");
    }
    Path backup = copy(data, "backup");
    try (TestService service = TestService.start(on(data))) {
      assertThat(isTold(service, "alice", alice)).isFalse();
      alice = idOf(service, "alice");
    }

    try (TestService service = TestService.start(on(backup))) {
      assertThat(isTold(service, "alice", alice)).isTrue();
      assertThat(isTold(service, "bob", bob)).isFalse();
    }
  }

  private Path copy(Path from, String name) throws IOException {
    Path to = Files.createDirectory(directory.resolve(name));
    try (Stream<Path> files = Files.list(from)) {
      for (Path file : files.toList()) {
        Files.copy(file, to.resolve(file.getFileName()));
      }
    }
    return to;
  }

  @Test
  void aDirectoryThatCantBeWrittenAtTheStopIsOneWarningAndANewEpochNextTime() throws Exception {
    String alice;
    Path inTheWay;
    try (LogCapture log = new LogCapture()) {
      try (TestService service = TestService.start(on(directory))) {
        alice = idOf(service, "alice");
        inTheWay = Files.createDirectories(directory.resolve("cursor.draft/x"));
      }
      assertThat(log.warnings()).singleElement().asString().contains("event=cursor-lost");
    }
    Files.delete(inTheWay);

    try (LogCapture log = new LogCapture()) {
      try (TestService service = TestService.start(on(directory))) {
        assertThat(isTold(service, "alice", alice)).isTrue();
        alice = idOf(service, "alice");
      }
      try (TestService service = TestService.start(on(directory))) {
        assertThat(isTold(service, "alice", alice)).isFalse();
      }
      assertThat(log.warnings()).isEmpty();
    }
  }

  @Test
  void aPushThatGoesOnAtTheStopMeansANewEpoch() throws Exception {
    CountDownLatch begun = new CountDownLatch(1);
    CountDownLatch mayEnd = new CountDownLatch(1);
    String[] variables = {"DATA_DIR", directory.toString()};
    TestService service =
        TestService.start(() -> Map.of("put", (_, _) -> awaitStubbornly(begun, mayEnd)), variables);
    String alice = idOf(service, "alice");
    Replica replica = Replica.of(service.client(), "alice");
    try (LogCapture log = new LogCapture()) {
      Thread pusher =
          Thread.startVirtualThread(() -> {
            try {
              replica.push(replica.put("a", JsonValue.of(1)));
            } catch (AssertionError _) {
              // the connection is cut
            }
          });
      begun.await();
      Thread stopper = Thread.startVirtualThread(service::close);
      Eventually.holds(
          "it is warned",
          () -> log.warnings().stream().anyMatch(line -> line.startsWith("event=cursor-lost")));
      mayEnd.countDown();
      stopper.join();
      pusher.join();
    }
    try (TestService next = TestService.start(variables)) {
      assertThat(isTold(next, "alice", alice)).isTrue();
    }
  }

  private static void awaitStubbornly(CountDownLatch begun, CountDownLatch mayEnd) {
    begun.countDown();
    while (mayEnd.getCount() > 0) {
      try {
        mayEnd.await();
      } catch (InterruptedException _) {
        // goes on, as a mutator in a long computation does
      }
    }
  }
}
