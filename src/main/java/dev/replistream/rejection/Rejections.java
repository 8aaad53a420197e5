package dev.replistream.rejection;

import dev.replistream.api.JsonValue;
import dev.replistream.data.RejectionStore;
import dev.replistream.data.RejectionStore.Kept;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.nodes.Nodes;
import dev.replistream.rejection.UserRejections.Range;
import java.time.Clock;
import java.util.List;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ConcurrentMap;

/// Tells connections that asked for it which of their user's mutations were acknowledged without
/// effect, and nobody else: without such a connection it does nothing. It is a best effort; what is
/// kept can be {@link #since asked for}.
///
/// Other nodes are told that there is something, and those with such a connection read it in the
/// database: no message of a rule goes through Redis. Thread-safe.
public final class Rejections {
  private static final String TOPIC = "rejected";

  private final Database database;
  private final Nodes nodes;
  private final Clock clock;
  private final ConcurrentMap<String, UserRejections> users = new ConcurrentHashMap<>();

  /// Hears of those on other nodes from here on.
  public Rejections(Database database, Nodes nodes, Clock clock) {
    this.database = database;
    this.nodes = nodes;
    this.clock = clock;
    nodes.listen(TOPIC, this::toldElsewhere);
  }

  /// A feed for a connection of a user, which gets what is told from here on.
  ///
  /// @param wake called when the feed, which had nothing, has something; it must not wait
  public RejectionFeed open(String userId, Runnable wake) {
    UserRejections[] user = new UserRejections[1];
    RejectionFeed[] feed = new RejectionFeed[1];
    users.compute(
        userId,
        (_, known) -> {
          user[0] = known == null ? new UserRejections() : known;
          feed[0] = new RejectionFeed(user[0], wake, () -> close(userId, feed[0]));
          user[0].add(feed[0]);
          return user[0];
        });
    return feed[0];
  }

  private void close(String userId, RejectionFeed feed) {
    users.computeIfPresent(userId, (_, user) -> user.remove(feed) ? null : user);
  }

  /// Tells the user's connections, wherever they are. Call it after the commit.
  ///
  /// @param kept at least one, in the order of their numbers
  public void tell(String userId, List<Kept> kept) {
    tellHere(userId, kept);
    nodes.tell(
        TOPIC,
        JsonValue.array(
                List.of(
                    JsonValue.of(userId),
                    JsonValue.of(kept.getFirst().seq()),
                    JsonValue.of(kept.getLast().seq())))
            .toJson());
  }

  private void tellHere(String userId, List<Kept> kept) {
    UserRejections user = users.get(userId);
    if (user != null) {
      user.offer(kept).forEach(RejectionFeed::wake);
    }
  }

  private void toldElsewhere(String text) {
    List<JsonValue> parts = JsonValue.parse(text).asElements();
    String userId = parts.get(0).asText();
    UserRejections user = users.get(userId);
    if (user != null && user.want(new Range(parts.get(1).asLong(), parts.get(2).asLong()))) {
      List<Range> wanted = user.takeWanted();
      while (!wanted.isEmpty()) {
        read(userId, wanted);
        wanted = user.takeWanted();
      }
    }
  }

  /// Tells of some that stand in the database. Among them may be others, which were told here.
  private void read(String userId, List<Range> wanted) {
    long first = wanted.stream().mapToLong(Range::first).min().orElseThrow();
    long last = wanted.stream().mapToLong(Range::last).max().orElseThrow();
    try {
      tellHere(
          userId,
          between(userId, first - 1, last).stream()
              .filter(kept -> wanted.stream().anyMatch(range -> range.has(kept.seq())))
              .toList());
    } catch (DatabaseUnavailableException _) {
      // they ask for it when they come back
    }
  }

  /// What is kept of a user's, the newest last; at most a hundred.
  ///
  /// @param after only those with a higher number
  /// @throws DatabaseUnavailableException when it can't be read now
  List<Kept> since(String userId, long after) {
    return between(userId, after, Long.MAX_VALUE);
  }

  private List<Kept> between(String userId, long after, long last) {
    return database.inSnapshot(
        session -> new RejectionStore(session).between(userId, after, last, clock.instant()));
  }
}
