package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.Eventually;
import dev.replistream.SettableClock;
import dev.replistream.auth.Revocation.Kind;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseListener;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Databases;
import dev.replistream.db.DbSettings;
import dev.replistream.db.Dialect;
import dev.replistream.db.TestPostgres;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/// Revocations in a database, as nodes of one service see them.
class RevocationsTest {
  private static final Duration LIFE = Duration.ofDays(1);
  private static final AuthSettings SETTINGS =
      new AuthSettings(
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Optional.empty(),
          Duration.ofSeconds(30),
          Duration.ofMinutes(5),
          Duration.ofSeconds(30),
          LIFE);

  @TempDir private Path directory;

  private final SettableClock clock = new SettableClock();
  private final List<Database> databases = new ArrayList<>();
  private String postgresUrl = "";

  @AfterEach
  void close() {
    databases.forEach(Database::close);
  }

  private Database open(Dialect dialect) {
    DbSettings settings =
        switch (dialect) {
          case SQLITE ->
              new DbSettings(
                  "jdbc:sqlite:" + directory.resolve("x.db"),
                  Optional.empty(),
                  Optional.empty(),
                  1);
          case POSTGRESQL -> {
            postgresUrl = postgresUrl.isEmpty() ? TestPostgres.newDatabase() : postgresUrl;
            yield TestPostgres.settings(postgresUrl);
          }
        };
    Database database = Databases.open(settings, DatabaseListener.NONE);
    databases.add(database);
    return database;
  }

  /// What one node knows.
  private final class Node {
    private final RevokedTokens revoked = new RevokedTokens(clock);
    private final Revocations revocations;
    private final List<Revocation> heard = new ArrayList<>();

    Node(Database database, int max) {
      revocations = new Revocations(database, max, revoked, SETTINGS, clock);
      revocations.subscribe(revocation -> {
        heard.add(revocation);
        return 1;
      });
    }

    Node(Database database) {
      this(database, 1_000);
    }
  }

  private Caller caller(String userId, Optional<String> sid) {
    return new Caller(
        userId,
        Set.of(),
        clock.instant().plusSeconds(60),
        Caller.Credential.HEADER,
        sid,
        clock.instant());
  }

  private static int rows(Database database) {
    return database.inSnapshot(session -> {
      try (var row = session.prepare("SELECT count(*) FROM revocation").executeQuery()) {
        row.next();
        return row.getInt(1);
      }
    });
  }

  @ParameterizedTest
  @EnumSource
  void aRecordThatHasLapsedVanishesAndItsTokensLiveNoLongerThanIt(Dialect dialect) {
    Database database = open(dialect);
    Node node = new Node(database);
    Caller alice = caller("alice", Optional.of("s"));
    node.revocations.revoke(Kind.SID, "s");
    node.revocations.revoke(Kind.USER, "alice");
    clock.advance(LIFE.plusMinutes(1));
    node.revocations.refresh();
    assertThat(node.revoked.covers(alice)).isTrue();
    assertThat(rows(database)).isEqualTo(2);

    clock.advance(Duration.ofSeconds(1));

    assertThat(node.revoked.covers(alice)).isFalse();
    assertThat(node.revoked.size()).isEqualTo(2);
    node.revocations.refresh();
    assertThat(node.revoked.size()).isZero();
    assertThat(rows(database)).isZero();
  }

  @ParameterizedTest
  @EnumSource
  void whatHasLapsedIsNotReadAtTheStartAndMakesRoom(Dialect dialect) {
    Database database = open(dialect);
    Node node = new Node(database, 2);
    assertThat(node.revocations.revoke(Kind.SID, "a")).hasValue(1);
    assertThat(node.revocations.revoke(Kind.USER, "b")).hasValue(1);
    clock.advance(LIFE.plusMinutes(2));

    Node again = new Node(database, 2);

    assertThat(again.revoked.size()).isZero();
    assertThat(again.revocations.revoke(Kind.SID, "c")).hasValue(1);
    assertThat(again.revocations.revoke(Kind.SID, "d")).hasValue(1);
    assertThat(rows(database)).isEqualTo(2);
  }

  @ParameterizedTest
  @EnumSource
  void whereThereIsNoRoomNothingIsDroppedAndWhatIsThereMayBeRenewed(Dialect dialect) {
    Node node = new Node(open(dialect), 2);
    node.revocations.revoke(Kind.SID, "a");
    node.revocations.revoke(Kind.USER, "a");

    assertThat(node.revocations.revoke(Kind.SID, "b")).isEmpty();

    assertThat(node.revoked.covers(caller("x", Optional.of("b")))).isFalse();
    assertThat(node.revoked.covers(caller("x", Optional.of("a")))).isTrue();
    clock.advance(Duration.ofSeconds(1));
    Caller newer = caller("a", Optional.empty());
    assertThat(node.revoked.covers(newer)).isFalse();
    assertThat(node.revocations.revoke(Kind.USER, "a")).hasValue(1);
    assertThat(node.revoked.covers(newer)).isTrue();
  }

  @Test
  void anotherNodeReadsWhatCameSinceAndHearsOfItOnce() {
    Node one = new Node(open(Dialect.POSTGRESQL));
    Node other = new Node(open(Dialect.POSTGRESQL));
    one.revocations.revoke(Kind.SID, "s");
    one.revocations.revoke(Kind.USER, "alice");
    assertThat(other.revoked.covers(caller("x", Optional.of("s")))).isFalse();

    other.revocations.refresh();
    other.revocations.refresh();
    one.revocations.refresh();

    assertThat(other.revoked.covers(caller("x", Optional.of("s")))).isTrue();
    assertThat(other.revoked.covers(caller("alice", Optional.empty()))).isTrue();
    assertThat(other.heard).extracting(Revocation::subject).containsExactly("s", "alice");
    assertThat(one.heard).isEqualTo(other.heard);
  }

  @Test
  void aNodeThatIsToldByAMessageDoesNotHearItAgainFromTheTable() {
    Node one = new Node(open(Dialect.POSTGRESQL));
    Node other = new Node(open(Dialect.POSTGRESQL));
    one.revocations.revoke(Kind.USER, "alice");

    assertThat(other.revocations.apply(one.heard.getFirst())).isEqualTo(1);
    assertThat(other.revocations.apply(one.heard.getFirst())).isZero();
    other.revocations.refresh();

    assertThat(other.revoked.covers(caller("alice", Optional.empty()))).isTrue();
    assertThat(other.heard).hasSize(1);
  }

  @Test
  void aRevocationOfANodeWhoseClockIsBehindTakesNothingBack() {
    Database database = open(Dialect.POSTGRESQL);
    Node one = new Node(database);
    SettableClock behind = new SettableClock();
    clock.advance(Duration.ofSeconds(10));
    Caller caller = caller("alice", Optional.empty());
    one.revocations.revoke(Kind.USER, "alice");
    RevokedTokens revoked = new RevokedTokens(behind);
    Revocations late = new Revocations(database, 9, revoked, SETTINGS, behind);

    late.revoke(Kind.USER, "alice");

    one.revocations.refresh();
    assertThat(one.revoked.covers(caller)).isTrue();
    assertThat(revoked.covers(caller)).isTrue();
    assertThat(new Node(database).revoked.covers(caller)).isTrue();
  }

  @ParameterizedTest
  @EnumSource
  void whoReadsWhileOthersWriteMissesNothing(Dialect dialect) throws Exception {
    Database database = open(dialect);
    Node writer = new Node(database);
    Node reader = new Node(dialect == Dialect.SQLITE ? database : open(dialect));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<?>> writing = new ArrayList<>();
      for (int i = 0; i < 8; i++) {
        int thread = i;
        writing.add(
            threads.submit(() -> {
              for (int n = 0; n < 25; n++) {
                writer.revocations.revoke(Kind.SID, thread + "-" + n);
              }
            }));
      }
      while (!writing.stream().allMatch(Future::isDone)) {
        reader.revocations.refresh();
      }
      for (Future<?> each : writing) {
        each.get(30, TimeUnit.SECONDS);
      }
    }
    if (dialect == Dialect.POSTGRESQL) {
      reader.revocations.refresh();
      assertThat(reader.revoked.size()).isEqualTo(200);
    }
    assertThat(writer.revoked.size()).isEqualTo(200);
    assertThat(new Node(database).revoked.size()).isEqualTo(200);
  }

  @Test
  void whatCanNotBeKeptIsNotInForceEither() {
    Database database = open(Dialect.SQLITE);
    Node node = new Node(database);
    database.close();

    assertThatThrownBy(() -> node.revocations.revoke(Kind.SID, "s"))
        .isInstanceOf(DatabaseUnavailableException.class);

    assertThat(node.revoked.covers(caller("x", Optional.of("s")))).isFalse();
    assertThat(node.heard).isEmpty();
  }

  @Test
  void theThreadOfANodeReadsByItself() {
    Node one = new Node(open(Dialect.POSTGRESQL));
    Node other = new Node(open(Dialect.POSTGRESQL));
    other.revocations.start();
    try {
      one.revocations.revoke(Kind.SID, "s");

      Eventually.holds(
          "the other node knows", () -> other.revoked.covers(caller("x", Optional.of("s"))));
    } finally {
      other.revocations.close();
    }
  }
}
