package dev.replistream.data;

import dev.replistream.api.Key;
import dev.replistream.api.KeyRange;
import dev.replistream.data.EntryStore.KeyVisitor;
import dev.replistream.data.EntryStore.Visitor;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.TreeMap;

/// Finds the first entries of a client view, and reads little else: keys of each space, page by
/// page, until it is known which come first and where each of them wins; then the values of those.
///
/// The first pages are as long as they need be where the spaces have equally many of the first
/// entries. Then those spaces go on that may have more of them, with pages twice as long each time.
/// Of each key that comes before the last one found, all spaces where it stands are known then.
///
/// Confined to the transaction of its {@link Session}.
final class FirstEntries {
  /// A value has up to 1 MiB.
  private static final int VALUES_AT_ONCE = 64;

  private static final String PAGE =
      "SELECT key FROM entry WHERE space = ? AND key >= ? AND key < ? ORDER BY key LIMIT ?";

  private static final String PAGES_ON_POSTGRESQL =
      """
      SELECT s.number, e.key FROM unnest(?, ?) WITH ORDINALITY AS s (space, first, number)
      CROSS JOIN LATERAL (
        SELECT key FROM entry WHERE space = s.space AND key >= s.first AND key < ?
        ORDER BY key LIMIT ?
      ) AS e\
      """;

  private static final String VALUES_ON_POSTGRESQL =
      """
      SELECT s.key, e.value FROM unnest(?, ?) WITH ORDINALITY AS s (space, key, number)
      CROSS JOIN LATERAL (
        SELECT value FROM entry WHERE space = s.space AND key = s.key LIMIT 1
      ) AS e ORDER BY s.number\
      """;

  private final EntryStore entries;
  private final Session session;
  private final byte[] end;
  private final int limit;
  private final KeyVisitor reads;
  private final NavigableMap<Key, String> winners = new TreeMap<>();

  /// @param end before which the keys are
  /// @param limit how many entries are wanted, at least 1
  FirstEntries(EntryStore entries, Session session, byte[] end, int limit, KeyVisitor reads) {
    this.entries = entries;
    this.session = session;
    this.end = end;
    this.limit = limit;
    this.reads = reads;
  }

  /// One space, of which some keys are read.
  private static final class Reading {
    private final String space;
    private Key next;
    private int found; // in the latest page

    Reading(String space, Key first) {
      this.space = space;
      next = first;
    }
  }

  /// Visits the entries, in the order of their keys.
  void visit(List<String> spaces, KeyRange keys, Visitor visitor) throws SQLException {
    List<Reading> open = spaces.stream().map(each -> new Reading(each, keys.first())).toList();
    int page = 0;
    while (!open.isEmpty()) {
      page = (int) Math.min(limit, Math.max(2L * page, Math.ceilDiv(limit, open.size())));
      read(open, page);
      int full = page;
      open = open.stream().filter(each -> each.found == full && mayHaveMore(each.next)).toList();
    }
    visitWinners(visitor);
  }

  private boolean mayHaveMore(Key next) {
    return winners.size() < limit || next.compareTo(winners.lastKey()) <= 0;
  }

  private void read(List<Reading> open, int page) throws SQLException {
    open.forEach(each -> each.found = 0);
    if (session.dialect() == Dialect.SQLITE) {
      for (Reading each : open) {
        PreparedStatement select = session.prepare(PAGE);
        select.setString(1, each.space);
        select.setBytes(2, each.next.bytes());
        select.setBytes(3, end);
        select.setInt(4, page);
        try (ResultSet row = select.executeQuery()) {
          while (row.next()) {
            found(each, Key.ofBytes(row.getBytes(1)));
          }
        }
      }
      return;
    }
    PreparedStatement select = session.prepare(PAGES_ON_POSTGRESQL);
    setArrays(
        select,
        open.stream().map(each -> each.space).toArray(String[]::new),
        open.stream().map(each -> each.next.bytes()).toArray(byte[][]::new));
    select.setBytes(3, end);
    select.setInt(4, page);
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        found(open.get(row.getInt(1) - 1), Key.ofBytes(row.getBytes(2)));
      }
    }
  }

  private void found(Reading reading, Key key) throws SQLException {
    reads.visit(key);
    reading.found++;
    if (key.compareTo(reading.next) >= 0) { // whatever the order of the rows
      reading.next = key.next();
    }
    winners.merge(
        key,
        reading.space,
        (one, other) -> Spaces.PRECEDENCE.compare(one, other) < 0 ? one : other);
    if (winners.size() > limit) {
      winners.pollLastEntry();
    }
  }

  private void visitWinners(Visitor visitor) throws SQLException {
    if (session.dialect() == Dialect.SQLITE) {
      for (Map.Entry<Key, String> winner : winners.entrySet()) {
        byte[] value = entries.get(winner.getValue(), winner.getKey()).orElseThrow();
        visitor.visit(winner.getKey(), value);
      }
      return;
    }
    List<String> spaces = new ArrayList<>();
    List<byte[]> keys = new ArrayList<>();
    for (Map.Entry<Key, String> winner : winners.entrySet()) {
      spaces.add(winner.getValue());
      keys.add(winner.getKey().bytes());
      if (keys.size() == VALUES_AT_ONCE || winner.getKey().equals(winners.lastKey())) {
        visitValues(spaces, keys, visitor);
        spaces.clear();
        keys.clear();
      }
    }
  }

  private void visitValues(List<String> spaces, List<byte[]> keys, Visitor visitor)
      throws SQLException {
    PreparedStatement select = session.prepare(VALUES_ON_POSTGRESQL);
    setArrays(select, spaces.toArray(String[]::new), keys.toArray(byte[][]::new));
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        visitor.visit(Key.ofBytes(row.getBytes(1)), row.getBytes(2));
      }
    }
  }

  private static void setArrays(PreparedStatement select, String[] spaces, byte[][] keys)
      throws SQLException {
    Connection connection = select.getConnection();
    select.setArray(1, connection.createArrayOf("text", spaces));
    select.setArray(2, connection.createArrayOf("bytea", keys));
  }
}
