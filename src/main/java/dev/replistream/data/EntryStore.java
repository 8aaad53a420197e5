package dev.replistream.data;

import dev.replistream.api.Key;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Arrays;
import java.util.Optional;
import java.util.OptionalLong;
import org.jspecify.annotations.Nullable;

/// The entries as a mutator's transaction reads and writes them. Locks and roles are the business
/// of that transaction.
///
/// Confined to the transaction of its {@link Session}.
public final class EntryStore {
  /// Above every byte of UTF-8, so a prefix with this behind it is above all keys that begin with
  /// the prefix.
  private static final byte ABOVE_UTF8 = (byte) 0xff;

  private final Session session;
  private final long nowMillis;

  /// @param now when entries are changed
  public EntryStore(Session session, Instant now) {
    this.session = session;
    this.nowMillis = now.toEpochMilli();
  }

  /// What is done with each entry of a scan.
  @FunctionalInterface
  public interface Visitor {
    void visit(Key key, byte[] value) throws SQLException;
  }

  public Optional<byte[]> get(String space, Key key) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT value FROM entry WHERE space = ? AND key = ?");
    select.setString(1, space);
    select.setBytes(2, key.bytes());
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? Optional.of(row.getBytes(1)) : Optional.empty();
    }
  }

  /// The space whose entry of `key` wins among those that the user may read.
  public Optional<String> visible(String userId, Key key) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT space FROM entry WHERE space = ? AND key = ?
            UNION ALL
            SELECT e.space FROM member m JOIN entry e ON e.space = 'r/' || m.room AND e.key = ?
            WHERE m.user_id = ?\
            """);
    select.setString(1, Spaces.ofUser(userId));
    select.setBytes(2, key.bytes());
    select.setBytes(3, key.bytes());
    select.setString(4, userId);
    Optional<String> winner = Optional.empty();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        String space = row.getString(1);
        if (winner.isEmpty() || Spaces.PRECEDENCE.compare(space, winner.get()) < 0) {
          winner = Optional.of(space);
        }
      }
    }
    return winner;
  }

  /// Visits the entries of a space whose key begins with `prefix`, in the order of their keys.
  public void scan(String space, Key prefix, Visitor visitor) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT key, value FROM entry
            WHERE space = ? AND key >= ? AND key < ? ORDER BY key\
            """);
    select.setString(1, space);
    select.setBytes(2, prefix.bytes());
    select.setBytes(3, end(prefix));
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        visitor.visit(Key.ofBytes(row.getBytes(1)), row.getBytes(2));
      }
    }
  }

  /// Visits the entries of the user's client view whose key begins with `prefix`, in the order of
  /// their keys.
  public void scanVisible(String userId, Key prefix, Visitor visitor) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT space, key, value FROM entry
            WHERE space = ? AND key >= ? AND key < ?
            UNION ALL
            SELECT e.space, e.key, e.value FROM member m
            JOIN entry e ON e.space = 'r/' || m.room AND e.key >= ? AND e.key < ?
            WHERE m.user_id = ?
            ORDER BY key\
            """);
    byte[] end = end(prefix);
    select.setString(1, Spaces.ofUser(userId));
    select.setBytes(2, prefix.bytes());
    select.setBytes(3, end);
    select.setBytes(4, prefix.bytes());
    select.setBytes(5, end);
    select.setString(6, userId);
    try (ResultSet row = select.executeQuery()) {
      Winner winner = new Winner(visitor);
      while (row.next()) {
        winner.next(row.getString(1), Key.ofBytes(row.getBytes(2)), row.getBytes(3));
      }
      winner.end();
    }
  }

  /// Passes on one of the entries of each key, when these come one after the other.
  private static final class Winner {
    private final Visitor visitor;
    private @Nullable Key key;
    private String space = "";
    private byte[] value = {};

    Winner(Visitor visitor) {
      this.visitor = visitor;
    }

    void next(String nextSpace, Key nextKey, byte[] nextValue) throws SQLException {
      boolean isSameKey = key != null && nextKey.equals(key);
      if (!isSameKey) {
        end();
      }
      if (!isSameKey || Spaces.PRECEDENCE.compare(nextSpace, space) < 0) {
        key = nextKey;
        space = nextSpace;
        value = nextValue;
      }
    }

    void end() throws SQLException {
      if (key != null) {
        visitor.visit(key, value);
      }
    }
  }

  private static byte[] end(Key prefix) {
    int length = prefix.bytes().length;
    byte[] end = Arrays.copyOf(prefix.bytes(), length + 1);
    end[length] = ABOVE_UTF8;
    return end;
  }

  public void put(String space, Key key, byte[] value, long version) throws SQLException {
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO entry (space, key, born, version, value, changed_at)
            VALUES (?, ?, ?, ?, ?, ?)
            ON CONFLICT (space, key) DO UPDATE
            SET version = excluded.version, value = excluded.value, changed_at = excluded.changed_at\
            """);
    upsert.setString(1, space);
    upsert.setBytes(2, key.bytes());
    upsert.setLong(3, version);
    upsert.setLong(4, version);
    upsert.setBytes(5, value);
    upsert.setLong(6, nowMillis);
    upsert.executeUpdate();
  }

  /// Deletes an entry, if it is there.
  ///
  /// @return the version with which it was born; empty where there was none
  public OptionalLong delete(String space, Key key) throws SQLException {
    PreparedStatement delete =
        session.prepare("DELETE FROM entry WHERE space = ? AND key = ? RETURNING born");
    delete.setString(1, space);
    delete.setBytes(2, key.bytes());
    try (ResultSet row = delete.executeQuery()) {
      return row.next() ? OptionalLong.of(row.getLong(1)) : OptionalLong.empty();
    }
  }

  /// Puts a tombstone in the place of a deleted entry; but not of one that was born with the same
  /// version, as that was in nobody's view.
  ///
  /// It takes values, and no `INSERT … SELECT`: that one SQLite keeps ready to be undone by itself,
  /// which takes longer the more the transaction has written.
  public void addTombstone(String space, Key key, long born, long version) throws SQLException {
    if (born == version) {
      return;
    }
    PreparedStatement insert =
        session.prepare(
            "INSERT INTO tombstone (space, died, key, born, changed_at) VALUES (?, ?, ?, ?, ?)");
    insert.setString(1, space);
    insert.setLong(2, version);
    insert.setBytes(3, key.bytes());
    insert.setLong(4, born);
    insert.setLong(5, nowMillis);
    insert.executeUpdate();
  }
}
