package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Transaction;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.lang.management.ManagementFactory;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.SQLException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.sqlite.ProgressHandler;

class SqliteTransactionTest extends SqlTransactionTest {
  @TempDir private Path directory;
  private Database database;

  @BeforeEach
  void open() {
    database = TestDatabase.sqlite(directory);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Override
  Database database() {
    return database;
  }

  /// As many as there may be at most: SQLite's machine takes some ten steps for a row.
  @Override
  long rowsRead(Session session, Runnable work) throws SQLException {
    Connection connection = session.prepare("SELECT 1").getConnection();
    AtomicLong tens = new AtomicLong();
    ProgressHandler.setHandler(
        connection,
        10,
        new ProgressHandler() {
          @Override
          protected int progress() {
            tens.incrementAndGet();
            return 0;
          }
        });
    try {
      work.run();
    } finally {
      ProgressHandler.clearHandler(connection);
    }
    return tens.get();
  }

  @Test
  void deletingCostsLittleMoreThanOverwritingHoweverMuchOneTransactionDoes() {
    int entries = 30_000;
    Consumer<Transaction> overwriteAll = transaction -> overwrite(transaction, entries);
    run("alice", overwriteAll);

    long overwriting = cpuNanos(overwriteAll);
    long deleting = cpuNanos(transaction -> delete(transaction, entries));

    assertThat(TestDatabase.number(database, "SELECT COUNT(*) FROM tombstone")).isEqualTo(entries);
    assertThat(deleting).isLessThan(2 * overwriting);
  }

  private static void overwrite(Transaction transaction, int entries) {
    JsonValue value = JsonValue.of("something to be done ".repeat(20));
    for (int i = 0; i < entries; i++) {
      transaction.put(scattered(i), value);
    }
  }

  private static void delete(Transaction transaction, int entries) {
    for (int i = 0; i < entries; i++) {
      transaction.delete(scattered(i));
    }
  }

  /// Keys whose order is another one than that of their numbers, as of ids that are random.
  private static String scattered(int i) {
    return "todo/" + Integer.toHexString(i * 0x9e3779b1);
  }

  /// What a mutation takes of the writer's thread, in the savepoints that it runs in; others that
  /// use the machine don't count.
  private long cpuNanos(Consumer<Transaction> work) {
    long[] nanos = new long[1];
    database.inTransaction(session -> {
      long start = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime();
      Spaces spaces = new Spaces(session);
      spaces.inSavepoint(_ -> {
        work.accept(transaction(session, spaces, "alice"));
        return true;
      });
      nanos[0] = ManagementFactory.getThreadMXBean().getCurrentThreadCpuTime() - start;
      return true;
    });
    return nanos[0];
  }
}
