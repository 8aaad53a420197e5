package dev.replistream.data;

import dev.replistream.api.Key;
import dev.replistream.api.KeyRange;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// The entries as a mutator's transaction reads and writes them. It raises the version of a space
/// where it writes, counts what that takes of the disk, and refuses what goes beyond the limit of
/// it. Other locks and roles are the business of that transaction.
///
/// Confined to the transaction of its {@link Session}.
public final class EntryStore {
  /// Above every byte of UTF-8, so a prefix with this behind it is above all keys that begin with
  /// the prefix.
  private static final byte ABOVE_UTF8 = (byte) 0xff;

  /// Rows of a scan that PostgreSQL sends at once, where it would send all: a value has up to 1
  /// MiB, and the scan may end before.
  static final int ROWS_AT_ONCE = 128;

  private static final String SCAN =
      "SELECT key, value FROM entry WHERE space = ? AND key >= ? AND key < ? ORDER BY key";

  private static final String LIMIT = " LIMIT ?";

  private static final String UPSERT =
      """
      INSERT INTO entry (space, key, born, version, value, changed_at) VALUES (?, ?, ?, ?, ?, ?)
      ON CONFLICT (space, key) DO UPDATE
      SET version = excluded.version, value = excluded.value, changed_at = excluded.changed_at\
      """;

  private static final String DELETE =
      "DELETE FROM entry WHERE space = ? AND key = ? RETURNING born";

  /// For PostgreSQL, where a statement of its own would be a round trip more: its queries in
  /// `RETURNING` see what was there before. Those of SQLite see what is there now.
  private static final String UPSERT_RETURNING =
      UPSERT
          + """
           RETURNING (SELECT octet_length(before.value) FROM entry AS before
          WHERE before.space = entry.space AND before.key = entry.key)\
          """;

  private final Session session;
  private final Spaces spaces;
  private final StorageSettings limits;
  private final long nowMillis;
  private final List<String> full = new ArrayList<>();

  /// The entries as a transaction sees them.
  ///
  /// @param spaces the spaces of the same transaction
  /// @param limits how large they may become
  /// @param now when entries are changed
  public EntryStore(Session session, Spaces spaces, StorageSettings limits, Instant now) {
    this.session = session;
    this.spaces = spaces;
    this.limits = limits;
    this.nowMillis = now.toEpochMilli();
  }

  /// Where a key stands or may be put.
  ///
  /// @param valueBytes how long its value there is; {@link #ABSENT} or {@link #UNKNOWN}
  public record Place(String space, int valueBytes) {
    /// There is no value.
    static final int ABSENT = -1;

    /// Nobody has looked.
    static final int UNKNOWN = -2;

    /// A space where a key may stand or not.
    public static Place in(String space) {
      return new Place(space, UNKNOWN);
    }

    /// A space where a key does not stand.
    public static Place without(String space) {
      return new Place(space, ABSENT);
    }
  }

  /// What is told of each key that a scan reads.
  @FunctionalInterface
  public interface KeyVisitor {
    void visit(Key key) throws SQLException;
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

  /// The place of the entry of `key` that wins among those that the user may read.
  public Optional<Place> visible(String userId, Key key) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT space, octet_length(value) FROM entry WHERE space = ? AND key = ?
            UNION ALL
            SELECT e.space, octet_length(e.value) FROM member m JOIN entry e ON e.space = 'r/' || m.room AND e.key = ?
            WHERE m.user_id = ?\
            """);
    select.setString(1, Spaces.ofUser(userId));
    select.setBytes(2, key.bytes());
    select.setBytes(3, key.bytes());
    select.setString(4, userId);
    Optional<Place> winner = Optional.empty();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        String space = row.getString(1);
        if (winner.isEmpty() || Spaces.PRECEDENCE.compare(space, winner.get().space) < 0) {
          winner = Optional.of(new Place(space, row.getInt(2)));
        }
      }
    }
    return winner;
  }

  /// Lets PostgreSQL follow the index wherever it gives the order, till the transaction or its
  /// savepoint ends. Of a room that has grown since the statement was planned, or the table was
  /// analysed, it would else read all entries and sort them, also for the first ten.
  public void followIndex() throws SQLException {
    followIndex(session);
  }

  /// The same in any transaction or snapshot.
  static void followIndex(Session session) throws SQLException {
    if (session.dialect() == Dialect.POSTGRESQL) {
      session.prepare("SET LOCAL enable_sort = off").execute();
    }
  }

  /// Visits the first entries of a space in a range, in the order of their keys.
  ///
  /// @param limit how many, {@link Integer#MAX_VALUE} for all; where it is less, {@link
  ///   #followIndex} is to come before
  public void scan(String space, KeyRange keys, int limit, Visitor visitor) throws SQLException {
    boolean isLimited = limit < Integer.MAX_VALUE;
    PreparedStatement select = session.prepare(isLimited ? SCAN + LIMIT : SCAN);
    select.setFetchSize(ROWS_AT_ONCE);
    select.setString(1, space);
    select.setBytes(2, keys.first().bytes());
    select.setBytes(3, end(keys.prefix()));
    if (isLimited) {
      select.setInt(4, limit);
    }
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        visitor.visit(Key.ofBytes(row.getBytes(1)), row.getBytes(2));
      }
    }
  }

  /// Visits the first entries in a range of the client view that some spaces make up, in the order
  /// of their keys. It costs a little for each space, and for each of these entries.
  ///
  /// @param limit how many, which is less than all, so that {@link #followIndex} is to come before
  /// @param reads told of each key that is read, most of which are those of the entries
  public void scanVisible(
      List<String> spaces, KeyRange keys, int limit, KeyVisitor reads, Visitor visitor)
      throws SQLException {
    if (limit > 0) {
      new FirstEntries(this, session, end(keys.prefix()), limit, reads)
          .visit(spaces, keys, visitor);
    }
  }

  /// Visits the entries of the user's client view in a range, in the order of their keys.
  public void scanVisible(String userId, KeyRange keys, Visitor visitor) throws SQLException {
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
    select.setFetchSize(ROWS_AT_ONCE);
    byte[] first = keys.first().bytes();
    byte[] end = end(keys.prefix());
    select.setString(1, Spaces.ofUser(userId));
    select.setBytes(2, first);
    select.setBytes(3, end);
    select.setBytes(4, first);
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

  /// What comes after all keys that begin with a prefix.
  static byte[] end(Key prefix) {
    int length = prefix.bytes().length;
    byte[] end = Arrays.copyOf(prefix.bytes(), length + 1);
    end[length] = ABOVE_UTF8;
    return end;
  }

  /// Puts an entry, or another value in its place.
  ///
  /// @param place where, as it is now; the space is locked if its length is known
  /// @throws StorageFullException when the space would become larger than it may be; nothing was
  ///   written
  public void put(Place place, Key key, byte[] value) throws SQLException {
    String space = place.space;
    long version = spaces.raise(space);
    Usage size = Usage.ofEntry(key, value.length);
    int before = place.valueBytes;
    long limit = limits.limit(space);
    boolean mayBeTooMuch = limit > 0 && spaces.usage(space).total() + size.total() > limit;
    if (before == Place.UNKNOWN && (mayBeTooMuch || session.dialect() == Dialect.SQLITE)) {
      before = valueBytes(space, key);
    }
    if (mayBeTooMuch && (before == Place.ABSENT || value.length > before)) {
      full.add(space);
      throw new StorageFullException(space, limit);
    }
    int replaced = put(space, key, value, version, before);
    spaces.count(
        space, replaced == Place.ABSENT ? size : new Usage((long) value.length - replaced, 0, 0));
  }

  /// How long the value of a key is.
  private int valueBytes(String space, Key key) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT octet_length(value) FROM entry WHERE space = ? AND key = ?");
    select.setString(1, space);
    select.setBytes(2, key.bytes());
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? row.getInt(1) : Place.ABSENT;
    }
  }

  /// @param before how long the value is that stands there
  /// @return that, also where it was not known
  private int put(String space, Key key, byte[] value, long version, int before)
      throws SQLException {
    boolean isKnown = before != Place.UNKNOWN;
    PreparedStatement upsert = session.prepare(isKnown ? UPSERT : UPSERT_RETURNING);
    upsert.setString(1, space);
    upsert.setBytes(2, key.bytes());
    upsert.setLong(3, version);
    upsert.setLong(4, version);
    upsert.setBytes(5, value);
    upsert.setLong(6, nowMillis);
    if (isKnown) {
      upsert.executeUpdate();
      return before;
    }
    try (ResultSet row = upsert.executeQuery()) {
      row.next();
      int replaced = row.getInt(1);
      return row.wasNull() ? Place.ABSENT : replaced;
    }
  }

  /// The spaces that were full, once for each write that was refused; also where that was rolled
  /// back.
  public List<String> full() {
    return full;
  }

  /// Deletes an entry, if it is there, and puts a tombstone in its place; but not of one that was
  /// born with the same version, as that was in nobody's view. However full the space is, it
  /// becomes no larger.
  ///
  /// A statement of SQLite that calls a function for what it returns, or an `INSERT … SELECT`, is
  /// kept ready to be undone by itself, which takes longer the more the transaction has written. So
  /// there is none of these.
  ///
  /// @param place where, as it is now; the space is locked if its length is known
  /// @return whether it was there
  public boolean delete(Place place, Key key) throws SQLException {
    String space = place.space;
    boolean isReturned = session.dialect() == Dialect.POSTGRESQL;
    int valueBytes =
        place.valueBytes == Place.UNKNOWN && !isReturned
            ? valueBytes(space, key)
            : place.valueBytes;
    PreparedStatement delete =
        session.prepare(isReturned ? DELETE + ", octet_length(value)" : DELETE);
    delete.setString(1, space);
    delete.setBytes(2, key.bytes());
    long born;
    try (ResultSet row = delete.executeQuery()) {
      if (!row.next()) {
        return false;
      }
      born = row.getLong(1);
      valueBytes = isReturned ? row.getInt(2) : valueBytes;
    }
    long version = spaces.raise(space);
    spaces.count(space, Usage.ofEntry(key, valueBytes).negated());
    if (born != version) {
      addTombstone(space, key, born, version);
    }
    return true;
  }

  private void addTombstone(String space, Key key, long born, long version) throws SQLException {
    PreparedStatement insert =
        session.prepare(
            "INSERT INTO tombstone (space, died, key, born, changed_at) VALUES (?, ?, ?, ?, ?)");
    insert.setString(1, space);
    insert.setLong(2, version);
    insert.setBytes(3, key.bytes());
    insert.setLong(4, born);
    insert.setLong(5, nowMillis);
    insert.executeUpdate();
    spaces.count(space, Usage.ofTombstone(key));
  }
}
