package dev.replistream.data;

import dev.replistream.api.JsonValue;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/// The journal in the database: what was applied or rejected, in the order of the commits.
///
/// On PostgreSQL transactions that were numbered may be committed in another order. So there lines
/// get their places only when they are read, once they are committed, by one reader at a time: a
/// place is never given to a line below one that was read. Among those that are given places at a
/// time the numbers decide, which are taken last thing before a commit, when the transaction holds
/// all its locks: so no line comes before one whose work it has seen.
///
/// Confined to the transaction of its {@link Session}.
public final class JournalStore {
  private static final String LAST = "journal-last";
  private static final String FLOOR = "journal-floor";

  /// How many lines get places at a time, or are removed.
  private static final int BATCH = 5_000;

  private final Session session;
  private final boolean isOrdered;

  /// The journal in the database of a session.
  public JournalStore(Session session) {
    this.session = session;
    isOrdered = session.dialect() == Dialect.SQLITE;
  }

  /// A line that is to be written.
  ///
  /// @param userId whose doing it is
  /// @param at when
  /// @param json an object with at least one member, in UTF-8, on one line
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Line(String userId, Instant at, byte[] json) {}

  /// A line that was read.
  ///
  /// @param place where it stands; higher than all that were read before
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  public record Placed(long place, byte[] json) {}

  /// Writes lines; last thing in a transaction.
  void add(List<Line> lines) throws SQLException {
    PreparedStatement insert =
        session.prepare("INSERT INTO journal (place, user_id, content, at) VALUES (?, ?, ?, ?)");
    for (Line line : lines) {
      if (isOrdered) {
        insert.setObject(1, null);
      } else {
        insert.setLong(1, -1);
      }
      insert.setString(2, line.userId());
      insert.setBytes(3, line.json());
      insert.setLong(4, line.at().toEpochMilli());
      insert.addBatch();
    }
    insert.executeBatch();
  }

  /// How a line names the private space of a user.
  static byte[] naming(String userId) {
    return ("\"user\":" + JsonValue.of(userId).toJson()).getBytes(StandardCharsets.UTF_8);
  }

  /// Whether a line has this in it.
  static boolean has(byte[] line, byte[] part) {
    for (int at = 0; at <= line.length - part.length; at++) {
      if (Arrays.equals(line, at, at + part.length, part, 0, part.length)) {
        return true;
      }
    }
    return false;
  }

  /// Whether lines have to get their places before they can be read, by {@link #place} in a
  /// transaction.
  public boolean hasToPlace() throws SQLException {
    if (isOrdered) {
      return false;
    }
    PreparedStatement select =
        session.prepare("SELECT 1 FROM journal WHERE place = -1 ORDER BY seq LIMIT 1");
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  /// Gives some lines their places.
  ///
  /// @return how many; where that is 0, there are no more
  public int place() throws SQLException {
    long last;
    PreparedStatement lock = session.prepare("SELECT content FROM meta WHERE name = ? FOR UPDATE");
    lock.setString(1, LAST);
    try (ResultSet row = lock.executeQuery()) {
      row.next();
      last = Long.parseLong(row.getString(1));
    }
    // else each time all are read that have no place
    for (String way : List.of("sort", "hashjoin", "mergejoin")) {
      session.prepare("SET LOCAL enable_" + way + " = off").execute();
    }
    PreparedStatement update = // its snapshot is taken under the lock
        session.prepare(
            """
            UPDATE journal SET place = ? + next.number FROM
            (SELECT seq, row_number() OVER (ORDER BY seq) AS number FROM
            (SELECT seq FROM journal WHERE place = -1 ORDER BY seq LIMIT ?) AS unplaced) AS next
            WHERE journal.seq = next.seq\
            """);
    update.setLong(1, last);
    update.setInt(2, BATCH);
    int placed = update.executeUpdate();
    set(LAST, last + placed);
    return placed;
  }

  private void set(String name, long value) throws SQLException {
    PreparedStatement update = session.prepare("UPDATE meta SET content = ? WHERE name = ?");
    update.setString(1, Long.toString(value));
    update.setString(2, name);
    update.executeUpdate();
  }

  /// Up to which place lines were removed for their age.
  public long floor() throws SQLException {
    return number(FLOOR);
  }

  private long number(String name) throws SQLException {
    PreparedStatement select = session.prepare("SELECT content FROM meta WHERE name = ?");
    select.setString(1, name);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? Long.parseLong(row.getString(1)) : 0;
    }
  }

  /// The last place that was ever given.
  public long given() throws SQLException {
    if (!isOrdered) {
      return number(LAST);
    }
    PreparedStatement select =
        session.prepare("SELECT seq FROM sqlite_sequence WHERE name = 'journal'");
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? row.getLong(1) : 0;
    }
  }

  /// Reads lines, in their order.
  ///
  /// @param after only those behind this place
  /// @param limit how many at most
  /// @param maxBytes after how many bytes there are enough
  public List<Placed> read(long after, int limit, long maxBytes) throws SQLException {
    PreparedStatement select =
        session.prepare(
            isOrdered
                ? "SELECT seq, content FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
                : """
                SELECT place, content FROM journal
                WHERE place > 0 AND place > ? ORDER BY place LIMIT ?\
                """);
    select.setFetchSize(EntryStore.ROWS_AT_ONCE);
    select.setLong(1, after);
    select.setInt(2, limit);
    List<Placed> lines = new ArrayList<>();
    long bytes = 0;
    try (ResultSet row = select.executeQuery()) {
      while (bytes < maxBytes && row.next()) {
        lines.add(new Placed(row.getLong(1), row.getBytes(2)));
        bytes += lines.getLast().json().length;
      }
    }
    return lines;
  }

  /// Removes some lines that are too old.
  ///
  /// @return how many; where that is 0, there are no more
  public static int removeOlder(Session session, Instant before) throws SQLException {
    JournalStore journal = new JournalStore(session);
    while (journal.hasToPlace() && journal.place() > 0) {
      // so that the floor is beyond all that is removed
    }
    String place = journal.isOrdered ? "seq" : "place";
    PreparedStatement select =
        session.prepare(
            "SELECT count(*), max(%1$s) FROM (SELECT %1$s FROM journal WHERE at < ? ORDER BY at, seq LIMIT ?) AS old"
                .formatted(place));
    select.setLong(1, before.toEpochMilli());
    select.setInt(2, BATCH);
    int count;
    long floor;
    try (ResultSet row = select.executeQuery()) {
      row.next();
      count = row.getInt(1);
      floor = row.getLong(2);
    }
    if (count > 0) {
      PreparedStatement delete =
          session.prepare(
              "DELETE FROM journal WHERE seq IN (SELECT seq FROM journal WHERE at < ? ORDER BY at, seq LIMIT ?)");
      delete.setLong(1, before.toEpochMilli());
      delete.setInt(2, BATCH);
      delete.executeUpdate();
      journal.set(FLOOR, Math.max(floor, journal.floor()));
    }
    return count;
  }
}
