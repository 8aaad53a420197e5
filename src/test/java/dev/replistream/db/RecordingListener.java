package dev.replistream.db;

import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/// Keeps what it hears.
final class RecordingListener implements DatabaseListener {
  private final List<Boolean> transactions = new CopyOnWriteArrayList<>();
  private final List<Boolean> snapshots = new CopyOnWriteArrayList<>();
  private final List<Integer> groups = new CopyOnWriteArrayList<>();
  private final AtomicInteger retries = new AtomicInteger();

  @Override
  public void transactionEnded(Duration duration, boolean committed) {
    transactions.add(committed);
  }

  @Override
  public void snapshotEnded(Duration duration, boolean succeeded) {
    snapshots.add(succeeded);
  }

  @Override
  public void transactionRetried() {
    retries.incrementAndGet();
  }

  @Override
  public void groupCommitted(int works) {
    groups.add(works);
  }

  List<Boolean> transactions() {
    return transactions;
  }

  List<Boolean> snapshots() {
    return snapshots;
  }

  List<Integer> groups() {
    return groups;
  }

  int retries() {
    return retries.get();
  }

  void clear() {
    transactions.clear();
    snapshots.clear();
    groups.clear();
    retries.set(0);
  }
}
