package dev.replistream.data;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.db.Database;
import dev.replistream.db.Session;
import dev.replistream.db.TestPostgres;
import dev.replistream.sync.TestDatabase;
import java.sql.ResultSet;
import java.sql.SQLException;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// A part of much is read without the rest of it, also by a PostgreSQL that knows nothing of its
/// tables yet: a statement has four seconds.
class LargeTablesTest {
  private static final int ROWS = 20_000;

  private static Database database;

  @BeforeAll
  static void fill() {
    database = TestDatabase.postgres(TestPostgres.newDatabase());
    database.inTransaction(session -> {
      for (String table : new String[] {"entry", "tombstone", "journal", "client_group"}) {
        execute(session, "ALTER TABLE " + table + " SET (autovacuum_enabled = false)");
      }
      String numbers = " FROM generate_series(1, " + ROWS + ") AS i";
      String key = "convert_to('k' || lpad(i::text, 6, '0'), 'UTF8')";
      execute(
          session,
          "INSERT INTO space (id, version, compacted) VALUES ('u/bob', " + 3 * ROWS + ", 0)");
      execute(
          session,
          "INSERT INTO entry (space, key, born, version, value, changed_at) SELECT 'u/bob', "
              + key
              + ", i, i, '1', 0"
              + numbers);
      execute(
          session,
          "INSERT INTO tombstone (space, died, key, born, changed_at) SELECT 'u/bob', "
              + ROWS
              + " + i, "
              + key.replace("'k'", "'d'")
              + ", 1, 0"
              + numbers);
      execute(
          session,
          "INSERT INTO journal (place, user_id, content, at) SELECT -1, 'bob', '{\"a\":1}', 0"
              + numbers);
      execute(
          session,
          "INSERT INTO client_group (id, user_id, version, seen_at, folded_version) SELECT i::text, 'u' || i, 1, 0, 0"
              + numbers);
      return session;
    });
  }

  private static void execute(Session session, String sql) throws SQLException {
    session.prepare(sql).execute();
  }

  @AfterAll
  static void close() {
    database.close();
  }

  /// A part of something, in a transaction.
  @FunctionalInterface
  private interface Part {
    void run(Session session, Spaces spaces) throws SQLException;
  }

  /// How many rows of a table `part` reads.
  private static long readOf(String table, Part part) {
    return database.inTransaction(session -> {
      long before = read(session, table);
      part.run(session, new Spaces(session));
      return read(session, table) - before;
    });
  }

  private static long read(Session session, String table) throws SQLException {
    try (ResultSet row =
        session
            .prepare(
                "SELECT coalesce(seq_tup_read, 0) + coalesce(idx_tup_fetch, 0)"
                    + " FROM pg_stat_xact_user_tables WHERE relname = '"
                    + table
                    + "'")
            .executeQuery()) {
      row.next();
      return row.getLong(1);
    }
  }

  @Test
  void theFirstChangesComeWithoutTheLast() {
    long read =
        database.inSnapshot(session -> {
          long before = read(session, "entry");
          new EntryReader(session).changed("u/bob", 0, (_, _) -> false);
          return read(session, "entry") - before;
        });

    assertThat(read).isBetween(1L, ROWS / 10L);
  }

  @Test
  void deletedKeysComeOnceInTheOrderInWhichTheyWereDeleted() {
    StringBuilder keys = new StringBuilder();
    database.inSnapshot(session -> {
      new EntryReader(session)
          .deleted(
              "u/bob",
              2 * ROWS - 2,
              key -> keys.append(new String(key.bytes(), UTF_8)).append(' '));
      return keys;
    });

    assertThat(keys).hasToString("d019999 d020000 ");
  }

  @Test
  void linesGetPlacesWithoutALookAtThoseThatWait() {
    assertThat(readOf("journal", (session, _) -> new JournalStore(session).place()))
        .isBetween(5_000L, 11_000L);
  }

  @Test
  void aUserIsErasedBitByBit() {
    Part entries = (session, spaces) -> new UserErasure(session, spaces, "bob").deleteEntries();

    assertThat(readOf("entry", entries)).isBetween(1_000L, 3_000L);
    assertThat(readOf("tombstone", entries)).isBetween(1_000L, 3_000L);
    assertThat(
            readOf(
                "client_group",
                (session, spaces) -> new UserErasure(session, spaces, "nobody").clientGroups()))
        .isLessThan(100);
    assertThat(
            readOf(
                "journal",
                (session, spaces) -> new UserErasure(session, spaces, "bob").deleteMessages()))
        .isZero();
  }
}
