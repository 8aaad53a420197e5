package dev.replistream.data;

import dev.replistream.api.Key;
import dev.replistream.api.KeyRange;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;

/// The entries of single spaces with their versions, as one transaction or snapshot sees them. Rows
/// are visited while they come, so that none has to be kept. Who may read them is the business of
/// the caller. Confined to the run of its {@link Session}.
public final class EntryReader {
  private final Session session;

  /// The entries as `session` sees them.
  public EntryReader(Session session) {
    this.session = session;
  }

  /// How far a space has come.
  ///
  /// @param version of its last write; 0 where there was none
  /// @param compacted what was deleted up to this version may be forgotten
  public record State(long version, long compacted) {}

  /// An entry.
  ///
  /// @param version that its space had when it was written last
  /// @param value JSON in UTF-8; nobody writes to it
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Entry(long version, byte[] value) {}

  /// What is done with each entry.
  @FunctionalInterface
  public interface Visitor {
    /// Takes the next one.
    ///
    /// @return whether to go on
    boolean visit(Key key, Entry entry) throws SQLException;
  }

  /// What is done with each key.
  @FunctionalInterface
  public interface KeyVisitor {
    /// Takes the next one.
    void visit(Key key) throws SQLException;
  }

  /// How far a space has come.
  public State state(String space) throws SQLException {
    PreparedStatement select = session.prepare("SELECT version, compacted FROM space WHERE id = ?");
    select.setString(1, space);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? new State(row.getLong(1), row.getLong(2)) : new State(0, 0);
    }
  }

  /// The entry of a key.
  public Optional<Entry> entry(String space, Key key) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT version, value FROM entry WHERE space = ? AND key = ?");
    select.setString(1, space);
    select.setBytes(2, key.bytes());
    try (ResultSet row = select.executeQuery()) {
      return row.next()
          ? Optional.of(new Entry(row.getLong(1), row.getBytes(2)))
          : Optional.empty();
    }
  }

  /// The version of the entry of a key, without its value.
  public Optional<Long> version(String space, Key key) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT version FROM entry WHERE space = ? AND key = ?");
    select.setString(1, space);
    select.setBytes(2, key.bytes());
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? Optional.of(row.getLong(1)) : Optional.empty();
    }
  }

  /// Visits the entries of a range, in the order of their keys, until the visitor has enough.
  ///
  /// @param limit how many at most
  public void entries(String space, KeyRange keys, int limit, Visitor visitor) throws SQLException {
    EntryStore.followIndex(session);
    PreparedStatement select =
        session.prepare(
            """
            SELECT key, version, value FROM entry
            WHERE space = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?\
            """);
    select.setFetchSize(EntryStore.ROWS_AT_ONCE);
    select.setString(1, space);
    select.setBytes(2, keys.first().bytes());
    select.setBytes(3, EntryStore.end(keys.prefix()));
    select.setInt(4, limit);
    visit(select, visitor);
  }

  /// Visits the entries that were written after a version, in the order in which they were.
  public void changed(String space, long since, Visitor visitor) throws SQLException {
    EntryStore.followIndex(session);
    PreparedStatement select =
        session.prepare(
            """
            SELECT key, version, value FROM entry
            WHERE space = ? AND version > ? ORDER BY version\
            """);
    select.setFetchSize(EntryStore.ROWS_AT_ONCE);
    select.setString(1, space);
    select.setLong(2, since);
    visit(select, visitor);
  }

  private static void visit(PreparedStatement select, Visitor visitor) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      boolean isWanted = true;
      while (isWanted && row.next()) {
        isWanted =
            visitor.visit(Key.ofBytes(row.getBytes(1)), new Entry(row.getLong(2), row.getBytes(3)));
      }
    }
  }

  /// Visits the keys that stood in a space at a version, and stand there no more, in the order in
  /// which they were deleted. At one version a key stood there in one of its lives at most, so none
  /// comes twice.
  public void deleted(String space, long since, KeyVisitor visitor) throws SQLException {
    EntryStore.followIndex(session);
    PreparedStatement select =
        session.prepare(
            """
            SELECT t.key FROM tombstone t WHERE t.space = ? AND t.died > ? AND t.born <= ?
            AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.space = t.space AND e.key = t.key)
            ORDER BY t.died, t.key\
            """);
    select.setFetchSize(EntryStore.ROWS_AT_ONCE);
    select.setString(1, space);
    select.setLong(2, since);
    select.setLong(3, since);
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        visitor.visit(Key.ofBytes(row.getBytes(1)));
      }
    }
  }

  /// Whether something was deleted after a version and before a time.
  public boolean isDeletedBefore(String space, long since, Instant time) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT 1 FROM tombstone WHERE space = ? AND died > ? AND changed_at <= ? LIMIT 1");
    select.setString(1, space);
    select.setLong(2, since);
    select.setLong(3, time.toEpochMilli());
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }
}
