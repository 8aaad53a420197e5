package dev.replistream.inspector;

import dev.replistream.http.TokenBuckets;
import io.helidon.metrics.api.MeterRegistry;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// Shows mutations to connections that asked for it, as this node acknowledges them: those of its
/// own user to each, and in development mode those of all users. It is a best effort, and keeps
/// nothing. Thread-safe.
public final class Inspector {
  /// What all feeds may hold: 500 large mutations, or 20,000 small ones.
  private static final long MAX_BYTES = 8 << 20;

  /// How many mutations of a user are told in a second: somebody who reads takes in no more. Each
  /// may go to dozens of streams.
  private static final int MOST_PER_SECOND = 100;

  private final boolean isDevelopmentMode;
  private final TokenBuckets rate;
  private final Budget budget;
  private final ConcurrentMap<String, List<MutationFeed>> own = new ConcurrentHashMap<>();
  private final List<MutationFeed> all = new CopyOnWriteArrayList<>();

  /// @param isDevelopmentMode whether anybody may watch the mutations of all users
  public Inspector(boolean isDevelopmentMode, MeterRegistry meters) {
    this.isDevelopmentMode = isDevelopmentMode;
    rate = new TokenBuckets(isDevelopmentMode ? 0 : MOST_PER_SECOND);
    budget = new Budget(MAX_BYTES, meters);
  }

  /// Whether anybody may watch the mutations of all users.
  public boolean showsAll() {
    return isDevelopmentMode;
  }

  /// A feed of a user's mutations from here on.
  ///
  /// @param wake called when the feed, which had nothing, has something; it must not wait
  public MutationFeed open(String userId, Runnable wake) {
    MutationFeed opened = new MutationFeed(budget, wake, feed -> close(userId, feed));
    own.merge(userId, List.of(opened), Inspector::joined);
    return opened;
  }

  /// A feed of all users' mutations from here on.
  ///
  /// @param wake as for those of a user
  /// @throws IllegalStateException where that is not shown
  public MutationFeed openAll(Runnable wake) {
    if (!isDevelopmentMode) {
      throw new IllegalStateException("only in development mode everything is shown");
    }
    MutationFeed opened = new MutationFeed(budget, wake, all::remove);
    all.add(opened);
    return opened;
  }

  private void close(String userId, MutationFeed feed) {
    own.computeIfPresent(
        userId,
        (_, feeds) -> {
          List<MutationFeed> others = feeds.stream().filter(each -> each != feed).toList();
          return others.isEmpty() ? null : others;
        });
  }

  /// Whether anybody watches a user's mutations now. It takes a few nanoseconds.
  public boolean isWatched(String userId) {
    return !all.isEmpty() || own.containsKey(userId);
  }

  /// Tells those who watch a user. Call it after the commit.
  ///
  /// @param isPushed whether the user made them; what a server of the application runs for the user
  ///   may have arguments that are not for the user's eyes
  /// @param seen in the order in which they were run
  public void tell(String userId, boolean isPushed, List<SeenMutation> seen) {
    boolean isForUser = isPushed || isDevelopmentMode;
    List<MutationFeed> feeds =
        joined(isForUser ? own.getOrDefault(userId, List.of()) : List.of(), all);
    if (feeds.isEmpty() || seen.isEmpty()) {
      return;
    }
    List<byte[]> told = new ArrayList<>();
    for (SeenMutation each : seen) {
      if (rate.take(userId) == 0) {
        told.add(each.toJson());
      }
    }
    int untold = seen.size() - told.size();
    feeds.stream().filter(feed -> feed.offer(told, untold)).toList().forEach(MutationFeed::wake);
  }

  private static <T> List<T> joined(List<T> some, List<T> more) {
    List<T> joined = new ArrayList<>(some);
    joined.addAll(more);
    return List.copyOf(joined);
  }
}
