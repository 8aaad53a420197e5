package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.TestService;
import dev.replistream.TestServiceProcess;
import dev.replistream.api.JsonValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A service whose database goes back to a backup, with one browser that has seen what was lost and
/// one that has not: {@link #lost} had 3 mutations in the backup, and 5 when that was restored.
class RestoreTest {
  private static final JsonValue ONE = JsonValue.of(1);
  private static final String NOT_FOUND = "{\"error\":\"ClientStateNotFound\"}";

  @TempDir private Path directory;
  private Replica lost;
  private Replica kept;

  private TestService start() {
    return TestService.start("DB_URL", "jdbc:sqlite:" + directory.resolve("one.db"));
  }

  private static HttpReply push(TestService service, Replica replica, JsonValue... mutations) {
    return send(service, replica, "/push", replica.pushBody(List.of(mutations)));
  }

  private static HttpReply pull(TestService service, Replica replica) {
    return send(service, replica, "/pull", replica.pullBody(replica.cookie()));
  }

  private static HttpReply send(TestService service, Replica by, String route, JsonValue body) {
    return service
        .client()
        .send(
            HttpRequest.api("POST", route)
                .by(service.client().token(by.userId))
                .with(body.toJson()));
  }

  private static JsonValue[] puts(Replica replica, int count) {
    List<JsonValue> mutations = new ArrayList<>();
    for (int i = 0; i < count; i++) {
      mutations.add(replica.put(replica.clientId + i, ONE));
    }
    return mutations.toArray(JsonValue[]::new);
  }

  @BeforeEach
  void restoreABackup() throws IOException {
    Path file = directory.resolve("one.db");
    Path backup = directory.resolve("backup.db");
    try (TestService service = start()) {
      lost = Replica.of(service.client(), "alice");
      lost.push(puts(lost, 3));
      kept = Replica.of(service.client(), "alice");
      kept.push(puts(kept, 1));
      kept.pull();
    }
    Files.copy(file, backup);
    try (TestService service = start()) {
      assertThat(push(service, lost, puts(lost, 2)).body()).isEqualTo("{}");
      lost.take(pull(service, lost));
    }
    Files.move(backup, file, StandardCopyOption.REPLACE_EXISTING);
  }

  private void tell(boolean isLate) {
    Map<String, String> environment =
        Map.of("REPLISTREAM_DB_URL", "jdbc:sqlite:" + directory.resolve("one.db"));
    var told =
        TestServiceProcess.of(environment, Clock.systemUTC()).restored(Optional.empty(), isLate);
    assertThat(told.clientGroups()).isEqualTo(2);
  }

  @Test
  void whoeverSawWhatWasLostIsToldSoWhateverItsNewPageHasPushedSince() {
    tell(false);
    try (TestService service = start()) {
      Replica page = lost.tab();

      assertThat(push(service, page, puts(page, 4)).body()).isEqualTo("{}");

      assertThat(pull(service, page).body()).isEqualTo(NOT_FOUND);
      assertThat(pull(service, lost).body()).isEqualTo(NOT_FOUND);
    }
  }

  @Test
  void aPageThatIsOpenAndPushesBeforeItPullsIsToldSoToo() {
    tell(false);
    try (TestService service = start()) {
      assertThat(push(service, lost, puts(lost, 1)).body()).isEqualTo(NOT_FOUND);
      Replica page = lost.tab();
      assertThat(push(service, page, puts(page, 4)).body()).isEqualTo("{}");
      assertThat(push(service, lost, puts(lost, 1)).body()).isEqualTo(NOT_FOUND);
    }
  }

  @Test
  void whoeverSawNothingOfItKeepsWhatIsPendingAndPullsEverything() {
    tell(false);
    try (TestService service = start()) {
      assertThat(push(service, kept, puts(kept, 2)).body()).isEqualTo("{}");

      assertThat(kept.take(pull(service, kept))).startsWith("clear");

      assertThat(kept.acknowledged()).isEqualTo(3);
      assertThat(kept.view()).containsKey(lost.clientId + 2);
    }
  }

  @Test
  void aForkOfWhoeverSawWhatWasLostPullsEverything() {
    tell(false);
    try (TestService service = start()) {
      Replica fork = lost.fork();
      assertThat(push(service, fork, puts(fork, 4)).body()).isEqualTo("{}");

      assertThat(fork.take(pull(service, fork))).startsWith("clear");

      assertThat(fork.acknowledged()).isEqualTo(4);
      assertThat(push(service, fork, puts(fork, 1)).body()).isEqualTo("{}");
    }
  }

  @Test
  void aSecondRestoreKeepsTheTwoLostHistoriesApart() throws IOException {
    Path file = directory.resolve("one.db");
    Path backup = directory.resolve("backup.db");
    Files.copy(file, backup);
    tell(false);
    Replica page = lost.tab();
    Replica second = lost.fork();
    try (TestService service = start()) {
      assertThat(push(service, second, puts(second, 1)).body()).isEqualTo("{}");
      second.take(pull(service, second));
    }
    Files.move(backup, file, StandardCopyOption.REPLACE_EXISTING);
    tell(false);
    try (TestService service = start()) {
      assertThat(push(service, page, puts(page, 4)).body()).isEqualTo("{}");
      Replica fork = second.fork();

      assertThat(pull(service, page).body()).isEqualTo(NOT_FOUND);
      assertThat(pull(service, second).body()).isEqualTo(NOT_FOUND);
      assertThat(fork.take(pull(service, fork))).startsWith("clear");
      assertThat(fork.view()).doesNotContainKey(second.clientId + 0);
    }
  }

  @Test
  void aRestoreThatNobodyToldOfShowsInAClientThatIsAhead() {
    String metric = "replistream_pulls_total{kind=\"set_back\"}";
    try (TestService service = start()) {
      double before = service.client().metrics().getOrDefault(metric, 0.0);

      assertThat(pull(service, lost).body()).isEqualTo(NOT_FOUND);

      assertThat(service.client().metrics()).containsEntry(metric, before + 1);
    }
  }

  @Test
  void toldLateEveryClientBeginsAnew() {
    try (TestService service = start()) {
      Replica page = lost.tab();
      assertThat(push(service, page, puts(page, 4)).body()).isEqualTo("{}");
      Problems.detail(push(service, lost, puts(lost, 1)), 409); // nothing tells that from a fault
    }
    tell(true);
    try (TestService service = start()) {
      assertThat(pull(service, lost).body()).isEqualTo(NOT_FOUND);
      assertThat(pull(service, kept).body()).isEqualTo(NOT_FOUND);
      assertThat(push(service, lost, puts(lost, 1)).body()).isEqualTo(NOT_FOUND);
      Replica fork = lost.fork();
      assertThat(fork.take(pull(service, fork))).startsWith("clear");
    }
  }
}
