package dev.replistream.data;

import java.sql.SQLException;
import java.sql.SQLTransactionRollbackException;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;

/// Bounds the memory that values take as trees, which is up to 35 times that of their text. A
/// mutation that reads much of it waits for its turn, of which a node has one for each 256 MB of
/// its heap; so what connections of PostgreSQL work on at the same time is small, but for a few.
/// SQLite has one writer, which never waits here. Thread-safe.
public final class TreeLimit {
  private static final TreeLimit OF_HEAP = new TreeLimit();

  /// How many characters a mutation may read without a turn.
  public static final int FREE_CHARACTERS = 256 << 10;

  private static final long HEAP_BYTES_A_TURN = 256 << 20;
  private static final long PATIENCE_MILLIS = 1_000;
  private static final String CONFLICT = "40001";

  private final Semaphore turns;
  private final long patienceMillis;

  private TreeLimit() {
    this((int) Math.max(1, Runtime.getRuntime().maxMemory() / HEAP_BYTES_A_TURN), PATIENCE_MILLIS);
  }

  /// The one of this process: as many turns as its largest heap allows.
  public static TreeLimit ofHeap() {
    return OF_HEAP;
  }

  /// @param patienceMillis how long a mutation waits for its turn, with all its locks
  public TreeLimit(int turns, long patienceMillis) {
    this.turns = new Semaphore(turns, true);
    this.patienceMillis = patienceMillis;
  }

  /// For one mutation; to be closed at its end.
  public Use begin() {
    return new Use();
  }

  /// What one mutation reads. Confined to its thread.
  public final class Use implements AutoCloseable {
    private long characters;
    private boolean hasTurn;

    private Use() {}

    /// Counts a text that is about to be parsed.
    ///
    /// @throws SQLException when the turn did not come; as those who have one may wait for a lock
    ///   of this transaction, it is a conflict, after which the transaction is run again
    public void reads(long more) throws SQLException {
      characters += more;
      if (hasTurn || characters <= FREE_CHARACTERS) {
        return;
      }
      try {
        hasTurn = turns.tryAcquire(patienceMillis, TimeUnit.MILLISECONDS);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
      }
      if (!hasTurn) {
        throw new SQLTransactionRollbackException("too many large values at a time", CONFLICT);
      }
    }

    @Override
    public void close() {
      if (hasTurn) {
        turns.release();
        hasTurn = false;
      }
    }
  }
}
