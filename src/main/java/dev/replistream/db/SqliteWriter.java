package dev.replistream.db;

import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// The one thread that writes. Works that wait share a commit, each in a savepoint of its own: the
/// disk is waited for once for all of them. Thread-safe.
final class SqliteWriter implements AutoCloseable {
  /// Works that may wait. More than are written within the time that a caller waits.
  private static final int MAX_WAITING = 16_384;

  /// Works that share a commit, so that a failing commit fails no more than these.
  private static final int MAX_GROUP = 256;

  /// How long a group may go on taking works, so that the first of them is answered soon.
  private static final long MAX_GROUP_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

  private final SqliteFile file;
  private final DatabaseListener listener;
  private final Availability availability;
  private final BlockingQueue<TransactionTask<?>> waiting = new ArrayBlockingQueue<>(MAX_WAITING);
  private final TransactionTask<?> last = new TransactionTask<>(_ -> true);
  private final Thread thread;
  private volatile boolean closed;

  // the thread's own
  private @Nullable JdbcSession session;
  private boolean ending;

  /// @param session the connection, with nothing open on it
  SqliteWriter(
      SqliteFile file, JdbcSession session, DatabaseListener listener, Availability availability) {
    this.file = file;
    this.session = session;
    this.listener = listener;
    this.availability = availability;
    thread = new Thread(null, this::run, "sqlite-writer", TransactionTask.STACK_BYTES);
    thread.setDaemon(true);
    thread.start();
  }

  /// Lets a work run with the next group.
  ///
  /// @throws DatabaseUnavailableException when too many wait already, or this is closed
  <T> TransactionTask<T> submit(TransactionCallback<T> work) {
    if (closed) {
      throw new DatabaseUnavailableException("the database is closed");
    }
    TransactionTask<T> task = new TransactionTask<>(session -> session.inSavepoint(work));
    if (!waiting.offer(task)) {
      throw new DatabaseUnavailableException("too many transactions wait for the database");
    }
    return task;
  }

  private void run() {
    while (!ending) {
      try {
        TransactionTask<?> first = waiting.take();
        if (first == last) {
          break;
        }
        runGroup(first);
      } catch (InterruptedException _) {
        // nobody may interrupt this thread but to reach a work that has just ended
      }
    }
    discardSession();
    takeWaiting().forEach(task -> task.fail(new DatabaseUnavailableException("closed")));
  }

  private void runGroup(TransactionTask<?> first) {
    List<TransactionTask<?>> group = new ArrayList<>();
    try {
      JdbcSession open = begin();
      long end = System.nanoTime() + MAX_GROUP_NANOS;
      for (TransactionTask<?> task = first; task != null; task = next(group.size(), end)) {
        if (task.take()) {
          group.add(task);
          task.run(open);
          open.requireWhole();
        }
      }
      commit(open);
    } catch (Throwable thrown) { // whatever it is, the next group has another try
      fail(first, group, thrown);
      return;
    }
    availability.succeeded();
    listener.groupCommitted(group.size());
    group.forEach(TransactionTask::tell);
  }

  private static void commit(JdbcSession open) throws SQLException {
    try {
      open.execute("COMMIT");
    } catch (SQLException e) {
      throw new CommitException(e);
    }
  }

  private JdbcSession begin() throws SQLException {
    file.requireInPlace();
    JdbcSession open = session;
    if (open == null) {
      open = new JdbcSession(file.connectWriter(), Dialect.SQLITE, 0);
      session = open;
    }
    open.execute("BEGIN IMMEDIATE");
    return open;
  }

  private @Nullable TransactionTask<?> next(int count, long end) {
    if (count >= MAX_GROUP || System.nanoTime() - end >= 0) {
      return null;
    }
    TransactionTask<?> task = waiting.poll();
    if (task == last) {
      ending = true;
      return null;
    }
    return task;
  }

  private void fail(TransactionTask<?> first, List<TransactionTask<?>> group, Throwable thrown) {
    availability.failed(thrown);
    discardSession();
    if (first.take()) { // it could not even begin, and nor could those that wait
      group.add(first);
      group.addAll(takeWaiting());
    }
    group.forEach(task -> task.fail(thrown));
  }

  private List<TransactionTask<?>> takeWaiting() {
    List<TransactionTask<?>> taken = new ArrayList<>();
    waiting.drainTo(taken);
    ending |= taken.remove(last);
    taken.removeIf(task -> !task.take());
    return taken;
  }

  private void discardSession() {
    if (session != null) {
      session.close();
      session = null;
    }
  }

  /// Runs what waits, then ends the thread and closes its connection.
  @Override
  public void close() {
    closed = true;
    Uninterruptibly.run(() -> waiting.put(last));
    Uninterruptibly.run(thread::join);
  }
}
