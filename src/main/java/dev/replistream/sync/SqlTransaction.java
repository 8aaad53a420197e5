package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Key;
import dev.replistream.api.Member;
import dev.replistream.api.Membership;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import dev.replistream.data.EntryStore;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// A mutator's transaction on the database, for the run of one mutator.
///
/// What it has told the mutator stays true until the transaction ends: it locks each space at the
/// first touch, before it reads. A key without a room is looked for first; then the space where it
/// stands, or the private one when it stands nowhere, is locked, and looked at again. So writers in
/// different spaces don't wait for each other.
final class SqlTransaction implements Transaction {
  /// How much one mutation may do, as nobody else writes on SQLite meanwhile: 100,000 deletions of
  /// what it has scanned, which take a second or two.
  static final int MAX_WORK = 500_000;

  private static final int READING = 2;
  private static final int WRITING = 4;

  /// So many bytes, read or written, count as one step more.
  private static final int BYTES_PER_WORK = 256;

  private final String userId;
  private final String privateSpace;
  private final Spaces spaces;
  private final RoomStore rooms;
  private final EntryStore entries;
  private final int maxValueBytes;
  private final TreeLimit.Use trees;
  private @Nullable SQLException failure;
  private int work;
  private int purged;

  /// @param spaces the spaces of the database's transaction, like the two stores
  /// @param maxValueBytes how long a value may be in UTF-8
  /// @param trees counts the values that it reads
  SqlTransaction(
      String userId,
      Spaces spaces,
      RoomStore rooms,
      EntryStore entries,
      int maxValueBytes,
      TreeLimit.Use trees) {
    this.userId = userId;
    this.privateSpace = Spaces.ofUser(userId);
    this.spaces = spaces;
    this.rooms = rooms;
    this.entries = entries;
    this.maxValueBytes = maxValueBytes;
    purged = rooms.purged();
    this.trees = trees;
  }

  /// Throws what the first failed statement failed with, even if the mutator caught it. Those after
  /// it may have failed only because of it.
  ///
  /// @throws TooMuchWorkException when the mutator went beyond what one may do, even if it caught
  ///   that
  void requireWhole() throws SQLException {
    if (failure != null) {
      throw failure;
    }
    requireLittle();
  }

  /// How much was done, of {@link #MAX_WORK}.
  int work() {
    return work;
  }

  private void spend(int steps) {
    work += Math.min(steps, MAX_WORK + 1); // does not overflow, as it ends soon
    requireLittle();
  }

  private void reads(byte[] value) throws SQLException {
    spendBytes(value);
    trees.reads(value.length);
  }

  private void spendBytes(byte[] value) {
    spend(value.length / BYTES_PER_WORK);
  }

  /// What went with the rooms that were deleted.
  private void spendPurged() {
    int all = rooms.purged();
    spend(all - purged);
    purged = all;
  }

  private void requireLittle() {
    if (work > MAX_WORK) {
      throw new TooMuchWorkException();
    }
  }

  @Override
  public String userId() {
    return userId;
  }

  @Override
  public Optional<JsonValue> get(String key) {
    return run(() -> {
      spend(READING);
      Optional<String> space = visible(Key.of(key));
      return space.isPresent() ? value(space.get(), Key.of(key)) : Optional.empty();
    });
  }

  @Override
  public Optional<JsonValue> get(String room, String key) {
    return run(() -> {
      spend(READING);
      rooms.requireMember(room, userId);
      return value(Spaces.ofRoom(room), Key.of(key));
    });
  }

  private Optional<JsonValue> value(String space, Key key) throws SQLException {
    Optional<byte[]> found = entries.get(space, key);
    if (found.isPresent()) {
      reads(found.get());
    }
    return found.map(JsonValue::parse);
  }

  @Override
  public List<Entry> scan(String prefix) {
    return run(() -> {
      spend(READING + lockedMemberships().size());
      spaces.lock(privateSpace);
      List<Entry> found = new ArrayList<>();
      entries.scanVisible(userId, Key.of(prefix), (key, value) -> found.add(scanned(key, value)));
      return found;
    });
  }

  @Override
  public List<Entry> scan(String room, String prefix) {
    return run(() -> {
      rooms.requireMember(room, userId);
      List<Entry> found = new ArrayList<>();
      entries.scan(
          Spaces.ofRoom(room), Key.of(prefix), (key, value) -> found.add(scanned(key, value)));
      return found;
    });
  }

  private Entry scanned(Key key, byte[] value) throws SQLException {
    spend(1);
    reads(value);
    return new Entry(key.text(), JsonValue.parse(value));
  }

  @Override
  public void put(String key, JsonValue value) {
    run(() -> {
      Key stored = Key.of(key).storable();
      write(visible(stored).orElse(privateSpace), stored, value);
      return null;
    });
  }

  @Override
  public void put(String room, String key, JsonValue value) {
    run(() -> {
      write(Spaces.ofRoom(room), Key.of(key).storable(), value);
      return null;
    });
  }

  private void write(String space, Key key, JsonValue value) throws SQLException {
    spend(WRITING);
    requireWriter(space);
    byte[] bytes = value.toBytes();
    spendBytes(bytes);
    if (bytes.length > maxValueBytes) {
      throw new RejectedException("the value has more than " + maxValueBytes + " bytes");
    }
    if (!value.isInRange()) {
      throw new RejectedException("the value has a number beyond 1.8e308");
    }
    entries.put(space, key, bytes, spaces.raise(space));
  }

  @Override
  public boolean delete(String key) {
    return run(() -> {
      spend(WRITING);
      Optional<String> found = visible(Key.of(key));
      if (found.isEmpty()) {
        return false;
      }
      requireWriter(found.get());
      return delete(found.get(), Key.of(key));
    });
  }

  @Override
  public boolean delete(String room, String key) {
    return run(() -> {
      spend(WRITING);
      String space = Spaces.ofRoom(room);
      requireWriter(space);
      return delete(space, Key.of(key));
    });
  }

  private boolean delete(String space, Key key) throws SQLException {
    OptionalLong born = entries.delete(space, key);
    if (born.isEmpty()) {
      return false;
    }
    entries.addTombstone(space, key, born.getAsLong(), spaces.raise(space));
    return true;
  }

  @Override
  public List<Membership> rooms() {
    return run(() -> {
      List<Membership> memberships = lockedMemberships();
      spend(READING + memberships.size());
      return memberships;
    });
  }

  @Override
  public List<Member> members(String room) {
    return run(() -> {
      rooms.requireMember(room, userId);
      List<Member> members = rooms.members(room);
      spend(READING + members.size());
      return members;
    });
  }

  @Override
  public void createRoom(String room) {
    run(() -> {
      spend(2 * WRITING);
      rooms.create(room, userId);
      spendPurged();
      return null;
    });
  }

  @Override
  public void deleteRoom(String room) {
    run(() -> {
      spend(2 * WRITING);
      Set<String> lost = rooms.delete(room, userId);
      spend(lost.size());
      spendPurged();
      return null;
    });
  }

  @Override
  public void putMember(String room, String memberId, Role role) {
    run(() -> {
      spend(2 * WRITING);
      return rooms.put(room, userId, memberId, role);
    });
  }

  @Override
  public boolean removeMember(String room, String memberId) {
    return run(() -> {
      spend(2 * WRITING);
      return rooms.remove(room, userId, memberId);
    });
  }

  /// The space where `key` is visible, which is locked then; else the private one is.
  private Optional<String> visible(Key key) throws SQLException {
    while (true) {
      Optional<String> found = entries.visible(userId, key);
      if (!spaces.lock(found.orElse(privateSpace))) {
        return found;
      }
    }
  }

  /// The caller's rooms, all of them locked then.
  private List<Membership> lockedMemberships() throws SQLException {
    while (true) {
      List<Membership> memberships = rooms.memberships(userId);
      boolean isStable = true;
      for (Membership membership : memberships) {
        isStable &= !spaces.lock(Spaces.ofRoom(membership.room()));
      }
      if (isStable) {
        return memberships;
      }
    }
  }

  private void requireWriter(String space) throws SQLException {
    Optional<String> room = Spaces.room(space);
    if (room.isPresent() && !rooms.requireMember(room.get(), userId).writes()) {
      throw new RejectedException("a reader of the room may not write in it");
    }
  }

  /// A step of the transaction, which may fail as statements do.
  @FunctionalInterface
  private interface Step<T extends @Nullable Object> {
    T run() throws SQLException;
  }

  private <T extends @Nullable Object> T run(Step<T> step) {
    try {
      return step.run();
    } catch (RoomException e) {
      throw new RejectedException(e.reason().label());
    } catch (SQLException e) {
      if (failure == null) {
        failure = e;
      }
      throw new FailedStatementException(e);
    }
  }
}
