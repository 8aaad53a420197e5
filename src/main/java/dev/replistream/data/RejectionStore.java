package dev.replistream.data;

import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;

/// What users are told of their mutations that were acknowledged without effect. Confined to the
/// transaction of its {@link Session}.
public final class RejectionStore {
  /// How many are kept of each user.
  public static final int MOST_PER_USER = 100;

  private static final Duration LIFE = Duration.ofDays(1);
  private static final int MICROS_PER_MILLI = 1_000;
  private static final int BATCH = 5_000;

  private final Session session;

  /// Those in the database of a session.
  public RejectionStore(Session session) {
    this.session = session;
  }

  /// One that is kept.
  ///
  /// @param seq its number, which is higher than those of all that were committed before
  /// @param json what its author is told, on one line; nobody writes to it
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Kept(long seq, byte[] json) {}

  /// Keeps the last ones of `rejections`, and lets go of the user's that are too old or too many.
  ///
  /// @param spaces those of the same transaction, which has nothing more to lock
  /// @param rejections at least one, in the order of the mutations
  /// @return those that are kept now, at most {@link #MOST_PER_USER}
  public List<Kept> add(Spaces spaces, String userId, List<Rejection> rejections, Instant now)
      throws SQLException {
    spaces.lock(Spaces.ofUser(userId)); // numbers follow the order of commits
    int count = Math.min(rejections.size(), MOST_PER_USER);
    long seq = Math.max(last(userId) + 1, seqAt(now));
    removeAllBut(userId, MOST_PER_USER - count, now);
    PreparedStatement insert =
        session.prepare("INSERT INTO rejection (user_id, seq, content) VALUES (?, ?, ?)");
    List<Kept> kept = new ArrayList<>(count);
    for (Rejection each : rejections.subList(rejections.size() - count, rejections.size())) {
      kept.add(new Kept(seq, each.toJson(seq)));
      insert.setString(1, userId);
      insert.setLong(2, seq);
      insert.setBytes(3, kept.getLast().json());
      insert.addBatch();
      seq++;
    }
    insert.executeBatch();
    return kept;
  }

  private static long seqAt(Instant time) {
    return time.toEpochMilli() * MICROS_PER_MILLI;
  }

  private long last(String userId) throws SQLException {
    PreparedStatement select = session.prepare("SELECT max(seq) FROM rejection WHERE user_id = ?");
    select.setString(1, userId);
    try (ResultSet row = select.executeQuery()) {
      row.next();
      return row.getLong(1); // 0 where there is none
    }
  }

  private void removeAllBut(String userId, int count, Instant now) throws SQLException {
    PreparedStatement delete =
        session.prepare(
            """
            DELETE FROM rejection WHERE user_id = ? AND (seq < ? OR seq <= coalesce(
            (SELECT seq FROM rejection WHERE user_id = ? ORDER BY seq DESC LIMIT 1 OFFSET ?), 0))\
            """);
    delete.setString(1, userId);
    delete.setLong(2, seqAt(now.minus(LIFE)));
    delete.setString(3, userId);
    delete.setInt(4, count);
    delete.executeUpdate();
  }

  /// Those of a user that are kept, the newest last.
  ///
  /// @param after only those with a higher number
  /// @param last none with a higher number
  public List<Kept> between(String userId, long after, long last, Instant now) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT seq, content FROM rejection
            WHERE user_id = ? AND seq > ? AND seq <= ? AND seq >= ? ORDER BY seq LIMIT ?\
            """);
    select.setString(1, userId);
    select.setLong(2, after);
    select.setLong(3, last);
    select.setLong(4, seqAt(now.minus(LIFE)));
    select.setInt(5, MOST_PER_USER);
    List<Kept> found = new ArrayList<>();
    try (ResultSet rows = select.executeQuery()) {
      while (rows.next()) {
        found.add(new Kept(rows.getLong(1), rows.getBytes(2)));
      }
    }
    return found;
  }

  /// Removes some that are too old.
  ///
  /// @return how many; where that is 0, there are no more
  public static int removeExpired(Session session, Instant now) throws SQLException {
    PreparedStatement delete =
        session.prepare(
            """
            DELETE FROM rejection WHERE (user_id, seq) IN
            (SELECT user_id, seq FROM rejection WHERE seq < ? ORDER BY seq LIMIT ?)\
            """);
    delete.setLong(1, seqAt(now.minus(LIFE)));
    delete.setInt(2, BATCH);
    return delete.executeUpdate();
  }
}
