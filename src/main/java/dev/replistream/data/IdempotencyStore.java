package dev.replistream.data;

import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// What requests were answered that came with a key of their own, for a day. Confined to the
/// transaction of its {@link Session}.
public final class IdempotencyStore {
  /// How long an answer is kept.
  public static final Duration LIFE = Duration.ofDays(1);

  private static final int BATCH = 5_000;
  private static final byte[] NOTHING = {};

  private final Session session;

  /// Those in the database of a session.
  public IdempotencyStore(Session session) {
    this.session = session;
  }

  /// What a request was answered. Nobody writes to the arrays.
  ///
  /// @param request the SHA-256 of the request
  /// @param status of HTTP
  /// @param content the body
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Kept(byte[] request, int status, byte[] content) {}

  /// Takes a key for a request, and waits for another transaction that has it.
  ///
  /// @return what was answered where the key was used before; else the transaction is to {@link
  ///   #keep} the answer
  public Optional<Kept> take(String userId, String key, byte[] request, Instant now)
      throws SQLException {
    removeOld(userId, key, now);
    PreparedStatement insert =
        session.prepare(
            """
            INSERT INTO idempotency (user_id, id, request, status, content, since)
            VALUES (?, ?, ?, 0, ?, ?) ON CONFLICT DO NOTHING\
            """);
    insert.setString(1, userId);
    insert.setString(2, key);
    insert.setBytes(3, request);
    insert.setBytes(4, NOTHING);
    insert.setLong(5, now.toEpochMilli());
    if (insert.executeUpdate() > 0) {
      return Optional.empty();
    }
    PreparedStatement select =
        session.prepare(
            "SELECT request, status, content FROM idempotency WHERE user_id = ? AND id = ?");
    select.setString(1, userId);
    select.setString(2, key);
    try (ResultSet row = select.executeQuery()) {
      row.next();
      return Optional.of(new Kept(row.getBytes(1), row.getInt(2), row.getBytes(3)));
    }
  }

  private void removeOld(String userId, String key, Instant now) throws SQLException {
    PreparedStatement delete =
        session.prepare("DELETE FROM idempotency WHERE user_id = ? AND id = ? AND since < ?");
    delete.setString(1, userId);
    delete.setString(2, key);
    delete.setLong(3, now.minus(LIFE).toEpochMilli());
    delete.executeUpdate();
  }

  /// Keeps the answer of a request whose key this transaction has taken.
  public void keep(String userId, String key, int status, byte[] content) throws SQLException {
    PreparedStatement update =
        session.prepare(
            "UPDATE idempotency SET status = ?, content = ? WHERE user_id = ? AND id = ?");
    update.setInt(1, status);
    update.setBytes(2, content);
    update.setString(3, userId);
    update.setString(4, key);
    update.executeUpdate();
  }

  /// Whether so many answers of a user are kept.
  public boolean hasMany(String userId, int many) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT 1 FROM idempotency WHERE user_id = ? LIMIT 1 OFFSET ?");
    select.setString(1, userId);
    select.setInt(2, many - 1);
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  /// Removes some that are too old.
  ///
  /// @return how many; where that is 0, there are no more
  public static int removeExpired(Session session, Instant now) throws SQLException {
    PreparedStatement delete =
        session.prepare(
            """
            DELETE FROM idempotency WHERE (user_id, id) IN
            (SELECT user_id, id FROM idempotency WHERE since < ? ORDER BY since LIMIT ?)\
            """);
    delete.setLong(1, now.minus(LIFE).toEpochMilli());
    delete.setInt(2, BATCH);
    return delete.executeUpdate();
  }
}
