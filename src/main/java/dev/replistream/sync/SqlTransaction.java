package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Key;
import dev.replistream.api.Member;
import dev.replistream.api.Membership;
import dev.replistream.api.RejectedException;
import dev.replistream.api.RejectionCode;
import dev.replistream.api.Role;
import dev.replistream.api.Scan;
import dev.replistream.api.Transaction;
import dev.replistream.data.Actor;
import dev.replistream.data.EntryReader;
import dev.replistream.data.EntryStore;
import dev.replistream.data.EntryStore.Place;
import dev.replistream.data.EntryStore.Visitor;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageFullException;
import dev.replistream.data.TreeLimit;
import java.sql.SQLException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
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

  /// The invitations and links that are there are counted each time.
  private static final int INVITING = 40;

  /// So many bytes, read or written, count as one step more.
  private static final int BYTES_PER_WORK = 256;

  private final Pusher pusher;
  private final Mutation mutation;
  private final Actor caller;
  private final String privateSpace;
  private final Spaces spaces;
  private final RoomStore rooms;
  private final EntryStore entries;
  private final int maxValueBytes;
  private final TreeLimit.Use trees;
  private final Done done;

  /// What the mutator has done, with its rights and without.
  private static final class Done {
    @Nullable SQLException failure;
    int work;
    int sideWork;
    boolean followsIndex; // for scans of a few
    volatile @Nullable Thread runner = Thread.currentThread(); // of the mutator, until it ends
  }

  /// @param spaces the spaces of the database's transaction, like the two stores
  /// @param maxValueBytes how long a value may be in UTF-8
  /// @param trees counts the values that it reads
  SqlTransaction(
      Pusher pusher,
      Mutation mutation,
      Spaces spaces,
      RoomStore rooms,
      EntryStore entries,
      int maxValueBytes,
      TreeLimit.Use trees) {
    this.pusher = pusher;
    this.mutation = mutation;
    this.caller = Actor.of(pusher.userId());
    this.privateSpace = Spaces.ofUser(pusher.userId());
    this.spaces = spaces;
    this.rooms = rooms;
    this.entries = entries;
    this.maxValueBytes = maxValueBytes;
    this.trees = trees;
    done = new Done();
    done.sideWork = rooms.sideWork();
  }

  /// The same transaction with other rights.
  private SqlTransaction(SqlTransaction one, Actor caller) {
    pusher = one.pusher;
    mutation = one.mutation;
    this.caller = caller;
    privateSpace = one.privateSpace;
    spaces = one.spaces;
    rooms = one.rooms;
    entries = one.entries;
    maxValueBytes = one.maxValueBytes;
    trees = one.trees;
    done = one.done;
  }

  @Override
  public Transaction unrestricted() {
    return new SqlTransaction(this, new Actor(caller.userId(), true));
  }

  /// Throws what the first failed statement failed with, even if the mutator caught it. Those after
  /// it may have failed only because of it.
  ///
  /// @throws TooMuchWorkException when the mutator went beyond what one may do, even if it caught
  ///   that
  void requireWhole() throws SQLException {
    if (done.failure != null) {
      throw done.failure;
    }
    requireLittle();
  }

  /// Ends it. A mutator that has kept it can do nothing more with it: by now the connection serves
  /// others.
  void end() {
    done.runner = null;
  }

  /// How much was done, of {@link #MAX_WORK}.
  int work() {
    return done.work;
  }

  private void spend(int steps) {
    done.work += Math.min(steps, MAX_WORK + 1); // does not overflow, as it ends soon
    requireLittle();
  }

  private void reads(byte[] value) throws SQLException {
    spendBytes(value);
    trees.reads(value.length);
  }

  private void spendBytes(byte[] value) {
    spend(value.length / BYTES_PER_WORK);
  }

  /// What rooms and owners took with them, and what was counted.
  private void spendSideWork() {
    int all = rooms.sideWork();
    spend(all - done.sideWork);
    done.sideWork = all;
  }

  private void requireLittle() {
    if (done.work > MAX_WORK) {
      throw new TooMuchWorkException();
    }
  }

  @Override
  public String userId() {
    return caller.userId();
  }

  @Override
  public String clientID() {
    return mutation.clientID();
  }

  @Override
  public long mutationID() {
    return mutation.id();
  }

  @Override
  public JsonValue claims() {
    return pusher.claims().get();
  }

  @Override
  public Optional<JsonValue> get(String key) {
    return run(() -> {
      spend(READING);
      Optional<Place> place = visible(Key.of(key));
      return place.isPresent() ? value(place.get().space(), Key.of(key)) : Optional.empty();
    });
  }

  @Override
  public Optional<JsonValue> get(String room, String key) {
    return run(() -> {
      spend(READING);
      rooms.requireMember(room, caller);
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
  public List<Entry> scan(Scan scan) {
    return run(() -> {
      List<Entry> found = new ArrayList<>();
      Visitor add = (key, value) -> found.add(scanned(key, value));
      if (scan.limit() < Integer.MAX_VALUE && !done.followsIndex) {
        entries.followIndex();
        done.followsIndex = true;
      }
      if (scan.room().isPresent()) {
        rooms.requireMember(scan.room().get(), caller);
        entries.scan(Spaces.ofRoom(scan.room().get()), scan.keys(), scan.limit(), add);
      } else {
        scanVisible(scan, add);
      }
      return found;
    });
  }

  private void scanVisible(Scan scan, Visitor visitor) throws SQLException {
    List<String> readable = new ArrayList<>();
    readable.add(privateSpace);
    lockedMemberships().forEach(each -> readable.add(Spaces.ofRoom(each.room())));
    spend(READING + readable.size());
    spaces.lock(privateSpace);
    if (scan.limit() == Integer.MAX_VALUE) {
      entries.scanVisible(caller.userId(), scan.keys(), visitor);
    } else {
      entries.scanVisible(readable, scan.keys(), scan.limit(), this::reads, visitor);
    }
  }

  private Entry scanned(Key key, byte[] value) throws SQLException {
    reads(key);
    reads(value);
    return new Entry(key.text(), JsonValue.parse(value));
  }

  private void reads(Key key) {
    spend(1 + key.bytes().length / BYTES_PER_WORK);
  }

  @Override
  public void put(String key, JsonValue value) {
    run(() -> {
      Key stored = Key.of(key).storable();
      write(visible(stored).orElseGet(() -> Place.without(privateSpace)), stored, value);
      return null;
    });
  }

  @Override
  public void put(String room, String key, JsonValue value) {
    run(() -> {
      write(Place.in(Spaces.ofRoom(room)), Key.of(key).storable(), value);
      return null;
    });
  }

  private void write(Place place, Key key, JsonValue value) throws SQLException {
    spend(WRITING);
    requireWriter(place.space());
    byte[] bytes = value.toBytes();
    spendBytes(bytes);
    if (bytes.length > maxValueBytes) {
      throw new RejectedException(
          RejectionCode.VALUE_TOO_LARGE, "the value has more than " + maxValueBytes + " bytes");
    }
    if (!value.isInRange()) {
      throw new RejectedException(RejectionCode.BAD_VALUE);
    }
    entries.put(place, key, bytes);
  }

  @Override
  public boolean delete(String key) {
    return run(() -> {
      spend(WRITING);
      Optional<Place> found = visible(Key.of(key));
      if (found.isEmpty()) {
        return false;
      }
      requireWriter(found.get().space());
      return entries.delete(found.get(), Key.of(key));
    });
  }

  @Override
  public boolean delete(String room, String key) {
    return run(() -> {
      spend(WRITING);
      String space = Spaces.ofRoom(room);
      requireWriter(space);
      return entries.delete(Place.in(space), Key.of(key));
    });
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
      rooms.requireMember(room, caller);
      List<Member> members = rooms.members(room);
      spend(READING + members.size());
      return members;
    });
  }

  @Override
  public void createRoom(String room) {
    run(() -> {
      spend(2 * WRITING);
      rooms.create(room, caller.userId());
      spendSideWork();
      return null;
    });
  }

  @Override
  public void deleteRoom(String room) {
    run(() -> {
      spend(2 * WRITING);
      Set<String> lost = rooms.delete(room, caller);
      spend(lost.size());
      spendSideWork();
      return null;
    });
  }

  @Override
  public void putMember(String room, String memberId, Role role) {
    run(() -> {
      spend(2 * WRITING);
      rooms.put(
          room,
          caller,
          memberId,
          role,
          () -> {
            throw new RejectedException(RejectionCode.NO_SUCH_MEMBER);
          });
      spendSideWork();
      return null;
    });
  }

  @Override
  public void invite(String room, String memberId, Role role) {
    run(() -> {
      spend(INVITING);
      try {
        rooms.invite(room, caller, memberId, role);
        return null;
      } finally {
        spendSideWork();
      }
    });
  }

  @Override
  public String createLink(String room, Role role) {
    return createLink(room, role, LINK_LIFE, rooms.limits().linkUses());
  }

  @Override
  public String createLink(String room, Role role, Duration life, int uses) {
    return run(() -> {
      spend(INVITING);
      try {
        return rooms.createLink(room, caller, role, life, uses);
      } finally {
        spendSideWork();
      }
    });
  }

  @Override
  public boolean removeMember(String room, String memberId) {
    return run(() -> {
      spend(2 * WRITING);
      boolean wasMember = rooms.remove(room, caller, memberId);
      spendSideWork();
      return wasMember || rooms.withdraw(room, caller, memberId);
    });
  }

  /// The version of an entry that is locked from then on, whoever may read it; empty where there is
  /// none.
  ///
  /// @param room where it is; empty for where it is visible
  /// @param reader of the same transaction
  Optional<Long> version(Optional<String> room, String key, EntryReader reader)
      throws SQLException {
    spend(READING);
    Key read = Key.of(key);
    if (room.isEmpty()) {
      Optional<Place> place = visible(read);
      return place.isPresent() ? reader.version(place.get().space(), read) : Optional.empty();
    }
    String space = Spaces.ofRoom(room.get());
    if (!rooms.exists(room.get())) {
      return Optional.empty(); // and it is not made for this
    }
    spaces.lock(space);
    return reader.version(space, read);
  }

  /// Where `key` is visible, in a space that is locked then; else the private one is.
  private Optional<Place> visible(Key key) throws SQLException {
    while (true) {
      Optional<Place> found = entries.visible(caller.userId(), key);
      if (!spaces.lock(found.map(Place::space).orElse(privateSpace))) {
        return found;
      }
    }
  }

  /// The caller's rooms, all of them locked then.
  private List<Membership> lockedMemberships() throws SQLException {
    while (true) {
      List<Membership> memberships = rooms.memberships(caller.userId());
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
    if (room.isPresent() && !rooms.requireMember(room.get(), caller).writes()) {
      throw new RejectedException(RejectionCode.FORBIDDEN);
    }
  }

  /// A step of the transaction, which may fail as statements do.
  @FunctionalInterface
  private interface Step<T extends @Nullable Object> {
    T run() throws SQLException;
  }

  private <T extends @Nullable Object> T run(Step<T> step) {
    if (done.runner != Thread.currentThread()) {
      throw new IllegalStateException(
          "a transaction is for the thread and the run of its mutator: use it there alone");
    }
    try {
      return step.run();
    } catch (RoomException e) {
      throw new RejectedException(codeOf(e.reason()));
    } catch (StorageFullException e) {
      throw new RejectedException(RejectionCode.STORAGE_FULL, String.valueOf(e.getMessage()));
    } catch (SQLException e) {
      if (done.failure == null) {
        done.failure = e;
      }
      throw new FailedStatementException(e);
    }
  }

  private static RejectionCode codeOf(RoomException.Reason reason) {
    return switch (reason) {
      case BAD_ID -> RejectionCode.BAD_ID;
      case TAKEN -> RejectionCode.TAKEN;
      case NOT_A_MEMBER -> RejectionCode.NOT_A_MEMBER;
      case NOT_AN_OWNER, NOT_A_WRITER -> RejectionCode.FORBIDDEN;
      case NO_SUCH_MEMBER -> RejectionCode.NO_SUCH_MEMBER;
      case LAST_OWNER -> RejectionCode.LAST_OWNER;
      case TOO_MANY_ROOMS -> RejectionCode.TOO_MANY_ROOMS;
      case TOO_MANY_MEMBERS -> RejectionCode.TOO_MANY_MEMBERS;
      case NOT_INVITED -> RejectionCode.NOT_INVITED;
      case NO_SUCH_INVITATION -> RejectionCode.NO_SUCH_INVITATION;
      case MEMBER_ALREADY -> RejectionCode.MEMBER_ALREADY;
      case TOO_MANY_INVITATIONS -> RejectionCode.TOO_MANY_INVITATIONS;
      case INVITED_TOO_OFTEN -> RejectionCode.INVITED_TOO_OFTEN;
      case TOO_MANY_LINKS -> RejectionCode.TOO_MANY_LINKS;
      case BAD_LINK -> RejectionCode.BAD_LINK;
      case NO_SUCH_LINK -> RejectionCode.NO_SUCH_LINK;
    };
  }
}
