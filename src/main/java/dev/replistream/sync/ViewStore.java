package dev.replistream.sync;

import dev.replistream.api.Key;
import dev.replistream.data.Spaces;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// The client views as pulls read them. Rows are visited while they come, so that none has to be
/// kept; a visitor may run other statements meanwhile. Confined to the snapshot of its {@link
/// Session}.
final class ViewStore {
  /// How many keys one statement looks up. All statements that look up keys are of this size, as
  /// each size is a statement to be kept.
  static final int KEYS_PER_LOOKUP = 50;

  private static final String KEYS = "?" + ", ?".repeat(KEYS_PER_LOOKUP - 1);

  /// Up to so many spaces each key is looked up in each of them.
  static final int FEW_SPACES = 4;

  /// Who reads more spaces has each key looked up in up to so many of all spaces where it stands,
  /// which are fewer for most keys.
  static final int FEW_HOLDERS = 8;

  private static final String HOLDERS_OF_ONE =
      "SELECT key, space FROM (SELECT key, space FROM entry WHERE key = ? LIMIT "
          + (FEW_HOLDERS + 1)
          + ")";

  private static final String HOLDERS_ON_SQLITE =
      HOLDERS_OF_ONE + (" UNION ALL " + HOLDERS_OF_ONE).repeat(KEYS_PER_LOOKUP - 1);

  private static final String HOLDERS_ON_POSTGRESQL =
      """
      SELECT k.key, e.space FROM unnest(?) AS k (key)
      CROSS JOIN LATERAL (SELECT space FROM entry WHERE key = k.key LIMIT %d) AS e\
      """
          .formatted(FEW_HOLDERS + 1);

  private final Session session;
  private long lookups;

  ViewStore(Session session) {
    this.session = session;
  }

  /// How far a space has come.
  ///
  /// @param version of its last write
  /// @param compacted tombstones up to this version may be gone
  record Space(long version, long compacted) {}

  /// The spaces that a user may read, in the order in which they win.
  NavigableMap<String, Space> readable(String userId) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT id, version, compacted FROM space WHERE id = ?
            UNION ALL
            SELECT s.id, s.version, s.compacted FROM member m
            JOIN space s ON s.id = 'r/' || m.room WHERE m.user_id = ?\
            """);
    select.setString(1, Spaces.ofUser(userId));
    select.setString(2, userId);
    NavigableMap<String, Space> spaces = new TreeMap<>(Spaces.PRECEDENCE);
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        spaces.put(row.getString(1), new Space(row.getLong(2), row.getLong(3)));
      }
    }
    return spaces;
  }

  /// Any space.
  Optional<Space> space(String id) throws SQLException {
    PreparedStatement select = session.prepare("SELECT version, compacted FROM space WHERE id = ?");
    select.setString(1, id);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? Optional.of(new Space(row.getLong(1), row.getLong(2))) : Optional.empty();
    }
  }

  /// What is done with a row; it may run statements.
  @FunctionalInterface
  interface Visitor<T> {
    void visit(T row) throws SQLException;
  }

  /// An entry with its value.
  interface Entries {
    void visit(Key key, byte[] value) throws SQLException;
  }

  /// Visits the keys of a space that changed after `version`: those that stand there, and those
  /// that stood there at that version but no longer do.
  void changedKeys(String space, long version, Visitor<Key> visitor) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT key FROM entry WHERE space = ? AND version > ?
            UNION ALL
            SELECT t.key FROM tombstone t WHERE t.space = ? AND t.died > ? AND t.born <= ?
            AND NOT EXISTS (SELECT 1 FROM entry e WHERE e.space = t.space AND e.key = t.key)\
            """);
    select.setString(1, space);
    select.setLong(2, version);
    select.setString(3, space);
    select.setLong(4, version);
    select.setLong(5, version);
    visit(select, visitor);
  }

  /// Visits the keys that stood in a space at `version`, whatever became of them later.
  void keysAt(String space, long version, Visitor<Key> visitor) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT key FROM entry WHERE space = ? AND born <= ?
            UNION ALL
            SELECT key FROM tombstone WHERE space = ? AND died > ? AND born <= ?\
            """);
    select.setString(1, space);
    select.setLong(2, version);
    select.setString(3, space);
    select.setLong(4, version);
    select.setLong(5, version);
    visit(select, visitor);
  }

  /// Visits the keys of a space.
  void keys(String space, Visitor<Key> visitor) throws SQLException {
    PreparedStatement select = session.prepare("SELECT key FROM entry WHERE space = ?");
    select.setString(1, space);
    visit(select, visitor);
  }

  private static void visit(PreparedStatement select, Visitor<Key> visitor) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        visitor.visit(Key.ofBytes(row.getBytes(1)));
      }
    }
  }

  /// Visits the entries of a space, in the order of their keys.
  void entries(String space, Entries visitor) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT key, value FROM entry WHERE space = ? ORDER BY key");
    select.setString(1, space);
    visit(select, visitor);
  }

  private static void visit(PreparedStatement select, Entries visitor) throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        visitor.visit(Key.ofBytes(row.getBytes(1)), row.getBytes(2));
      }
    }
  }

  /// How many entries were looked up to find winners.
  long lookups() {
    return lookups;
  }

  /// How many entries some spaces have, at most `max`.
  long count(Iterable<String> spaces, long max) throws SQLException {
    long count = 0;
    for (String space : spaces) {
      PreparedStatement select =
          session.prepare(
              "SELECT COUNT(*) FROM (SELECT 1 FROM entry WHERE space = ? LIMIT ?) AS entries");
      select.setString(1, space);
      select.setLong(2, max - count);
      try (ResultSet row = select.executeQuery()) {
        row.next();
        count += row.getLong(1);
      }
      if (count == max) {
        break;
      }
    }
    return count;
  }

  /// The space that wins for each of some keys; none for a key that is not in the user's view. It
  /// costs the same in however many rooms the user is, unless the keys stand in many of all rooms.
  ///
  /// @param readable the spaces that the user may read
  /// @param keys at most {@link #KEYS_PER_LOOKUP}, none twice
  Map<Key, String> winners(String userId, NavigableMap<String, Space> readable, List<Key> keys)
      throws SQLException {
    if (readable.size() <= FEW_SPACES) {
      lookups += (long) keys.size() * readable.size();
      return winnersInEach(userId, keys);
    }
    Map<Key, String> winners = new HashMap<>();
    Map<Key, Integer> holders = new HashMap<>();
    try (ResultSet row = holders(keys).executeQuery()) {
      while (row.next()) {
        Key key = Key.ofBytes(row.getBytes(1));
        lookups++;
        holders.merge(key, 1, Integer::sum);
        if (readable.containsKey(row.getString(2))) {
          winners.merge(key, row.getString(2), ViewStore::first);
        }
      }
    }
    lookups += keys.size();
    List<Key> common = keys.stream().filter(key -> isCommon(holders, key)).toList();
    if (!common.isEmpty()) {
      lookups += (long) common.size() * readable.size();
      winners.keySet().removeAll(common);
      winners.putAll(winnersInEach(userId, common));
    }
    return winners;
  }

  private static boolean isCommon(Map<Key, Integer> holders, Key key) {
    return holders.getOrDefault(key, 0) > FEW_HOLDERS;
  }

  private static String first(String one, String other) {
    return Spaces.PRECEDENCE.compare(one, other) < 0 ? one : other;
  }

  /// Finds some of the spaces where each key stands, of all that there are.
  private PreparedStatement holders(List<Key> keys) throws SQLException {
    if (session.dialect() == Dialect.SQLITE) {
      PreparedStatement select = session.prepare(HOLDERS_ON_SQLITE);
      for (int i = 0; i < KEYS_PER_LOOKUP; i++) {
        select.setBytes(i + 1, i < keys.size() ? keys.get(i).bytes() : null); // null finds nothing
      }
      return select;
    }
    PreparedStatement select = session.prepare(HOLDERS_ON_POSTGRESQL);
    byte[][] bytes = keys.stream().map(Key::bytes).toArray(byte[][]::new);
    select.setArray(1, select.getConnection().createArrayOf("bytea", bytes));
    return select;
  }

  private Map<Key, String> winnersInEach(String userId, List<Key> keys) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT space, key FROM entry WHERE space = ? AND key IN (%1$s)
            UNION ALL
            SELECT e.space, e.key FROM member m
            JOIN entry e ON e.space = 'r/' || m.room AND e.key IN (%1$s)
            WHERE m.user_id = ?\
            """
                .formatted(KEYS));
    select.setString(1, Spaces.ofUser(userId));
    setKeys(select, 2, keys);
    setKeys(select, 2 + KEYS_PER_LOOKUP, keys);
    select.setString(2 + 2 * KEYS_PER_LOOKUP, userId);
    Map<Key, String> winners = new HashMap<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        winners.merge(Key.ofBytes(row.getBytes(2)), row.getString(1), ViewStore::first);
      }
    }
    return winners;
  }

  /// Visits the entries of some keys in a space.
  ///
  /// @param keys at most {@link #KEYS_PER_LOOKUP}
  void entries(String space, List<Key> keys, Entries visitor) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT key, value FROM entry WHERE space = ? AND key IN (" + KEYS + ")");
    select.setString(1, space);
    setKeys(select, 2, keys);
    visit(select, visitor);
  }

  /// Sets the keys, and the last one again where there are fewer than the statement takes.
  private static void setKeys(PreparedStatement statement, int first, List<Key> keys)
      throws SQLException {
    for (int i = 0; i < KEYS_PER_LOOKUP; i++) {
      statement.setBytes(first + i, keys.get(Math.min(i, keys.size() - 1)).bytes());
    }
  }
}
