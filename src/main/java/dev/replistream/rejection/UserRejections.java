package dev.replistream.rejection;

import dev.replistream.data.RejectionStore;
import dev.replistream.data.RejectionStore.Kept;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The connections of one user that are told of rejections, and those that one of them has not
/// taken yet: as many as are kept of a user, at most. Thread-safe by its own monitor.
final class UserRejections {
  private final Set<RejectionFeed> feeds = new HashSet<>();
  private final List<byte[]> pending = new ArrayList<>();
  private final List<Range> wanted = new ArrayList<>();
  private long first; // how many were told of before those that are pending
  private boolean isReading;

  /// Some of a user's that stand in the database.
  ///
  /// @param first the lowest number
  /// @param last the highest number
  record Range(long first, long last) {
    /// Whether it has this one.
    boolean has(long seq) {
      return first <= seq && seq <= last;
    }
  }

  synchronized void add(RejectionFeed feed) {
    feed.position = first + pending.size();
    feeds.add(feed);
  }

  /// Forgets one.
  ///
  /// @return whether there is no other
  synchronized boolean remove(RejectionFeed feed) {
    feeds.remove(feed);
    dropTaken();
    return feeds.isEmpty();
  }

  /// Takes note of some that were told of elsewhere, to be read. While somebody reads, all that
  /// comes is read at once afterwards; more than are kept of a user are never wanted.
  ///
  /// @return whether the caller is to read what is {@link #takeWanted wanted}, till there is
  ///   nothing
  synchronized boolean want(Range range) {
    wanted.add(range);
    if (wanted.size() > RejectionStore.MOST_PER_USER) {
      wanted.removeFirst();
    }
    boolean isFree = !isReading;
    isReading = true;
    return isFree;
  }

  /// What is to be read next; where it is nothing, whoever reads is done.
  synchronized List<Range> takeWanted() {
    List<Range> taken = List.copyOf(wanted);
    wanted.clear();
    isReading = !taken.isEmpty();
    return taken;
  }

  /// Makes some pending.
  ///
  /// @return the feeds that had nothing before
  synchronized List<RejectionFeed> offer(List<Kept> more) {
    long end = first + pending.size();
    List<RejectionFeed> idle = feeds.stream().filter(feed -> feed.position >= end).toList();
    more.forEach(each -> pending.add(each.json()));
    drop(pending.size() - RejectionStore.MOST_PER_USER);
    return idle;
  }

  synchronized byte @Nullable [] next(RejectionFeed feed) {
    long position = Math.max(feed.position, first);
    if (position == first + pending.size()) {
      return null;
    }
    byte[] next = pending.get((int) (position - first));
    feed.position = position + 1;
    if (position == first) {
      dropTaken();
    }
    return next;
  }

  /// Drops what all have taken.
  private void dropTaken() {
    long end = first + pending.size();
    drop((int) (feeds.stream().mapToLong(feed -> feed.position).min().orElse(end) - first));
  }

  private void drop(int count) {
    if (count > 0) {
      pending.subList(0, count).clear();
      first += count;
    }
  }
}
