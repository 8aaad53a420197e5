package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.TransactionCallback;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.concurrent.atomic.AtomicInteger;

/// A database that does to its next transactions what it is told to. Confined to one thread.
public final class FlakyDatabase implements Database {
  /// What becomes of a transaction.
  public enum Fate {
    /// It is committed.
    COMMIT,
    /// It loses against another one, and is run again.
    CONFLICT,
    /// It is rolled back, and the database is away.
    AWAY,
    /// It is committed, and the connection is lost before that is heard.
    COMMIT_AND_AWAY
  }

  private final Database database;
  private final Deque<Fate> fates = new ArrayDeque<>();
  final AtomicInteger transactions = new AtomicInteger();

  /// A database over the one that does the work.
  public FlakyDatabase(Database database) {
    this.database = database;
  }

  /// Tells what becomes of the next transactions.
  public void next(Fate... next) {
    fates.addAll(Arrays.asList(next));
  }

  private static final class RolledBack extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  @Override
  public <T> T inTransaction(TransactionCallback<T> work) {
    transactions.incrementAndGet();
    Fate fate = fates.isEmpty() ? Fate.COMMIT : fates.removeFirst();
    if (fate == Fate.COMMIT) {
      return database.inTransaction(work);
    }
    if (fate == Fate.COMMIT_AND_AWAY) {
      database.inTransaction(work);
      throw new DatabaseUnavailableException("away", new IOException("lost"), true);
    }
    try {
      database.inTransaction(session -> {
        work.run(session);
        throw new RolledBack();
      });
    } catch (RolledBack e) {
      if (fate == Fate.AWAY) {
        throw new DatabaseUnavailableException("away", e);
      }
    }
    return inTransaction(work);
  }

  @Override
  public <T> T inSnapshot(TransactionCallback<T> work) {
    return database.inSnapshot(work);
  }

  @Override
  public boolean isAvailable() {
    return database.isAvailable();
  }

  @Override
  public void close() {
    database.close();
  }
}
