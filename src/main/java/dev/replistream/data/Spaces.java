package dev.replistream.data;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.replistream.api.Id;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import dev.replistream.db.TransactionCallback;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;

/// The spaces that one transaction reads and writes: their locks, their versions, what they take of
/// the disk, and who joined or left a room.
///
/// A space's version is raised once by each transaction that writes in it, under the lock of the
/// space's row, so versions follow the order of commits. It never goes back: the row stays, even
/// when the room of it is deleted and another one takes its id.
///
/// Confined to the transaction of its {@link Session}.
public final class Spaces {
  private static final String PRIVATE = "u/";
  private static final String ROOM = "r/";

  /// The order in which spaces win where a key stands in several: the private space, then rooms by
  /// the bytes of their ids.
  public static final Comparator<String> PRECEDENCE =
      Comparator.comparing((String space) -> space.startsWith(ROOM))
          .thenComparing(space -> space.getBytes(StandardCharsets.UTF_8), Arrays::compareUnsigned);

  private final Session session;
  private final Set<String> locked = new HashSet<>();
  private final Map<String, Long> raised = new HashMap<>();
  private final Map<String, Usage> stored = new HashMap<>(); // of those whose row was read
  private final Map<String, Usage> unsaved = new HashMap<>(); // what their rows do not say yet
  private final boolean isJournaled;
  private final List<JournalStore.Line> lines = new ArrayList<>();
  private final Set<String> written = new HashSet<>(); // since the last line
  private long leftBehind;
  private final Set<MemberChange> joinedOrLeft = new HashSet<>();
  private final Set<String> concerned = new HashSet<>();

  /// The spaces of a transaction that has touched none yet, and is in no journal.
  public Spaces(Session session) {
    this(session, false);
  }

  /// @param isJournaled whether what the transaction does is to stand in the journal
  Spaces(Session session, boolean isJournaled) {
    this.session = session;
    this.isJournaled = isJournaled;
  }

  /// The id of a user's private space.
  public static String ofUser(String userId) {
    return PRIVATE + userId;
  }

  /// The id of a room's space.
  public static String ofRoom(String room) {
    return ROOM + room;
  }

  /// The room whose space it is; empty for a private one.
  public static Optional<String> room(String space) {
    return space.startsWith(ROOM) ? Optional.of(space.substring(ROOM.length())) : Optional.empty();
  }

  /// Whether a text is the id of a space.
  static boolean isValid(String text) {
    return (text.startsWith(PRIVATE) || text.startsWith(ROOM))
        && Id.isValid(text.substring(PRIVATE.length()));
  }

  /// The user whose private space it is; empty for a room's.
  static Optional<String> user(String space) {
    return space.startsWith(PRIVATE)
        ? Optional.of(space.substring(PRIVATE.length()))
        : Optional.empty();
  }

  /// Makes what this transaction reads of the space from here on stay true until its end.
  ///
  /// @return whether this call locked it, so that what was read before has to be read again
  public boolean lock(String space) throws SQLException {
    if (session.dialect() == Dialect.SQLITE || !locked.add(space)) {
      return false; // SQLite runs one writer at a time
    }
    if (!lockRow(space)) {
      PreparedStatement insert =
          session.prepare(
              "INSERT INTO space (id, version, compacted) VALUES (?, 0, 0) ON CONFLICT DO NOTHING");
      insert.setString(1, space);
      insert.executeUpdate();
      lockRow(space);
    }
    return true;
  }

  /// Locks the space of a room for a member of it. Nobody else makes its writers wait, nor learns
  /// from how long they wait themselves that somebody writes there.
  ///
  /// @return whether the user may be a member, which is to be looked at again under the lock
  boolean lockForMember(String room, String userId) throws SQLException {
    if (session.dialect() == Dialect.SQLITE || locked.contains(ofRoom(room))) {
      return true;
    }
    PreparedStatement select =
        session.prepare(
            """
            SELECT 1 FROM space WHERE id = ?
            AND EXISTS (SELECT 1 FROM member WHERE room = ? AND user_id = ?) FOR UPDATE\
            """);
    select.setString(1, ofRoom(room));
    select.setString(2, room);
    select.setString(3, userId);
    try (ResultSet row = select.executeQuery()) {
      boolean isLocked = row.next();
      if (isLocked) {
        locked.add(ofRoom(room));
      }
      return isLocked;
    }
  }

  private boolean lockRow(String space) throws SQLException {
    PreparedStatement select = session.prepare("SELECT 1 FROM space WHERE id = ? FOR UPDATE");
    select.setString(1, space);
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  /// The version of what this transaction writes in the space; the first call raises and locks it.
  public long raise(String space) throws SQLException {
    if (isJournaled) {
      written.add(space);
    }
    Long known = raised.get(space);
    if (known != null) {
      return known;
    }
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO space (id, version, compacted) VALUES (?, 1, 0)
            ON CONFLICT (id) DO UPDATE SET version = space.version + 1
            RETURNING version, entry_bytes, tombstone_bytes, client_bytes\
            """);
    upsert.setString(1, space);
    try (ResultSet row = upsert.executeQuery()) {
      row.next();
      long version = row.getLong(1);
      raised.put(space, version);
      locked.add(space);
      stored.put(space, usage(row, 2));
      return version;
    }
  }

  private static Usage usage(ResultSet row, int first) throws SQLException {
    return new Usage(row.getLong(first), row.getLong(first + 1), row.getLong(first + 2));
  }

  /// What the space takes of the disk, with what this transaction has done to it. It stays so to
  /// the end of the transaction where the space is locked.
  public Usage usage(String space) throws SQLException {
    Usage known = stored.get(space);
    if (known == null) {
      known = read(space);
      stored.put(space, known);
    }
    return known.plus(unsaved.getOrDefault(space, Usage.NONE));
  }

  private Usage read(String space) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT entry_bytes, tombstone_bytes, client_bytes FROM space WHERE id = ?");
    select.setString(1, space);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? usage(row, 1) : Usage.NONE;
    }
  }

  /// Notes that this transaction makes the space larger, or smaller. It stands in the database
  /// after {@link #saveUsage}.
  public void count(String space, Usage change) {
    unsaved.merge(space, change, Usage::plus);
  }

  /// Writes what was counted, with one statement a space. Whoever commits calls it before; to call
  /// it more often does no harm.
  public void saveUsage() throws SQLException {
    for (Map.Entry<String, Usage> change : unsaved.entrySet()) {
      if (!change.getValue().equals(Usage.NONE)) {
        save(change.getKey(), change.getValue());
        stored.computeIfPresent(change.getKey(), (_, before) -> before.plus(change.getValue()));
      }
    }
    unsaved.clear();
  }

  /// A user whose clients write in rooms alone has no private space yet.
  private void save(String space, Usage change) throws SQLException {
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO space (id, version, compacted, entry_bytes, tombstone_bytes, client_bytes)
            VALUES (?, 0, 0, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET
            entry_bytes = space.entry_bytes + excluded.entry_bytes,
            tombstone_bytes = space.tombstone_bytes + excluded.tombstone_bytes,
            client_bytes = space.client_bytes + excluded.client_bytes\
            """);
    upsert.setString(1, space);
    upsert.setLong(2, change.entries());
    upsert.setLong(3, change.tombstones());
    upsert.setLong(4, change.clients());
    upsert.executeUpdate();
  }

  /// Raises the private space of a user who loses a room by more than that room's version, so that
  /// the sum of the versions of what the user may read never goes down. Call it with the room
  /// locked.
  public void lose(String userId, String room) throws SQLException {
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO space (id, version, compacted)
            VALUES (?, (SELECT version + 1 FROM space WHERE id = ?), 0)
            ON CONFLICT (id) DO UPDATE SET version = space.version + excluded.version\
            """);
    upsert.setString(1, ofUser(userId));
    upsert.setString(2, ofRoom(room));
    upsert.executeUpdate();
    locked.add(ofUser(userId));
    joinedOrLeft.add(new MemberChange(room, userId));
  }

  /// The same for all members of a room, in the order of their ids, so that two rooms with the same
  /// members are lost one after the other.
  void loseAll(String room, Set<String> members) throws SQLException {
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO space (id, version, compacted)
            SELECT 'u/' || m.user_id, s.version + 1, 0
            FROM member m JOIN space s ON s.id = ? WHERE m.room = ? ORDER BY m.user_id
            ON CONFLICT (id) DO UPDATE SET version = space.version + excluded.version\
            """);
    upsert.setString(1, ofRoom(room));
    upsert.setString(2, room);
    upsert.executeUpdate();
    members.forEach(userId -> joinedOrLeft.add(new MemberChange(room, userId)));
  }

  /// Notes that a user has joined a room.
  void join(String userId, String room) {
    joinedOrLeft.add(new MemberChange(room, userId));
  }

  /// Who joined or left a room in this transaction.
  public Set<MemberChange> joinedOrLeft() {
    return Set.copyOf(joinedOrLeft);
  }

  /// Notes that the transaction concerns a user, whatever it writes.
  public void concerns(String userId) {
    concerned.add(userId);
  }

  /// Whom the transaction concerns, whatever it writes.
  Set<String> concerned() {
    return Set.copyOf(concerned);
  }

  /// The spaces in which this transaction has written.
  public Set<String> raised() {
    return Set.copyOf(raised.keySet());
  }

  /// Runs `part` in a savepoint; where that is rolled back, so are the locks it took, the versions
  /// it raised, what it counted and the members it changed, and they are forgotten here too.
  public <T> T inSavepoint(TransactionCallback<T> part) throws SQLException {
    Set<String> lockedBefore = Set.copyOf(locked);
    Set<String> raisedBefore = Set.copyOf(raised.keySet());
    Map<String, Usage> storedBefore = Map.copyOf(stored);
    Map<String, Usage> unsavedBefore = Map.copyOf(unsaved);
    long leftBehindBefore = leftBehind;
    int linesBefore = lines.size();
    Set<MemberChange> membersBefore = Set.copyOf(joinedOrLeft);
    Set<String> concernedBefore = Set.copyOf(concerned);
    boolean isKept = false;
    try {
      T result = session.inSavepoint(part);
      isKept = true;
      return result;
    } finally {
      if (!isKept) {
        locked.retainAll(lockedBefore);
        raised.keySet().retainAll(raisedBefore);
        reset(stored, storedBefore);
        reset(unsaved, unsavedBefore);
        leftBehind = leftBehindBefore;
        lines.subList(linesBefore, lines.size()).clear();
        written.clear();
        joinedOrLeft.retainAll(membersBefore);
        concerned.retainAll(concernedBefore);
      }
    }
  }

  /// Whether what this transaction does is to stand in the journal.
  public boolean isJournaled() {
    return isJournaled;
  }

  /// Begins what the next line of the journal is about.
  public void beginLine() {
    written.clear();
  }

  /// The versions of the spaces that were written in for the next line, in the order in which they
  /// win.
  public SortedMap<String, Long> writtenForLine() {
    SortedMap<String, Long> versions = new TreeMap<>(PRECEDENCE);
    written.forEach(space -> versions.put(space, Objects.requireNonNull(raised.get(space))));
    return versions;
  }

  /// Writes an array of spaces and their versions.
  public static void writeVersions(JsonGenerator json, Map<String, Long> versions)
      throws IOException {
    json.writeStartArray();
    for (Map.Entry<String, Long> each : versions.entrySet()) {
      json.writeStartObject();
      Optional<String> room = room(each.getKey());
      json.writeStringField(
          room.isPresent() ? "room" : "user", room.or(() -> user(each.getKey())).orElseThrow());
      json.writeNumberField("version", each.getValue());
      json.writeEndObject();
    }
    json.writeEndArray();
  }

  /// Notes a line for the journal, which is written when this transaction ends.
  public void note(JournalStore.Line line) {
    lines.add(line);
  }

  /// Writes the lines, last thing before the commit.
  ///
  /// @return whether there were any
  boolean writeJournal() throws SQLException {
    if (!lines.isEmpty()) {
      new JournalStore(session).add(lines);
    }
    return !lines.isEmpty();
  }

  /// Notes that the room of a space is deleted, which leaves behind what is there. The caller holds
  /// its lock.
  void leaveBehind(String space) throws SQLException {
    leftBehind += usage(space).total();
  }

  /// How many bytes the rooms leave behind that this transaction has deleted, to be purged.
  long leftBehind() {
    return leftBehind;
  }

  private static void reset(Map<String, Usage> usage, Map<String, Usage> before) {
    usage.clear();
    usage.putAll(before);
  }
}
