package dev.replistream.room;

import dev.replistream.api.Member;
import dev.replistream.api.Role;
import dev.replistream.data.Outbox;
import dev.replistream.data.Room;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomException.Reason;
import dev.replistream.data.RoomPurge;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.Transactions;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.poke.PokeBus;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Set;

/// The rooms as callers see and change them: each call is one transaction, or one snapshot. What a
/// transaction owes after its commit is said at {@link Transactions}.
///
/// Who is in a room stands in nobody's view: a member who comes or goes is poked alone, and a
/// member who gets another role not at all. Each method throws
///
/// - {@link RoomException} when the rules forbid it,
/// - {@link DatabaseUnavailableException} when the database is away.
///
/// Thread-safe.
public final class Rooms {
  private final Database database;
  private final Transactions transactions;
  private final Outbox outbox;
  private final RoomSettings limits;
  private final Clock clock;

  /// The rooms of a database.
  public Rooms(
      Database database,
      Transactions transactions,
      Outbox outbox,
      RoomSettings limits,
      Clock clock) {
    this.database = database;
    this.transactions = transactions;
    this.outbox = outbox;
    this.limits = limits;
    this.clock = clock;
  }

  /// A member after a change.
  ///
  /// @param isNew whether the user was none before
  record Joined(Member member, boolean isNew) {}

  /// A step in a transaction of the store.
  @FunctionalInterface
  private interface Step<T> {
    T run(RoomStore store) throws SQLException;
  }

  RoomSettings limits() {
    return limits;
  }

  /// Creates a room whose owner is the caller.
  Room create(String room, String caller) {
    Instant createdAt = clock.instant();
    purgeRest(room);
    change(
        caller,
        createdAt,
        store -> {
          store.create(room, caller);
          return room;
        });
    return new Room(room, Role.OWNER, createdAt);
  }

  /// Purges what is left of a large room of this id that was deleted: a batch a transaction, so
  /// that nobody waits for all of it.
  private void purgeRest(String room) {
    boolean isLeft = read(store -> store.isBeingPurged(room));
    while (isLeft) {
      isLeft =
          database.inTransaction(session ->
              new RoomPurge(session, new Spaces(session), clock.instant()).next(room))
              == RoomPurge.BATCH;
    }
  }

  /// The rooms that the caller is a member of, in the order of the bytes of their ids.
  List<Room> list(String caller) {
    return read(store -> store.rooms(caller));
  }

  /// Deletes a room with its entries and members.
  void delete(String room, String caller) {
    change(caller, clock.instant(), store -> store.delete(room, caller));
  }

  /// The members of a room of the caller's, in the order of the bytes of their ids.
  List<Member> members(String room, String caller) {
    return read(store -> {
      requireMember(store, room, caller);
      return store.members(room);
    });
  }

  /// Adds a member, or gives it another role.
  Joined put(String room, String caller, String userId, Role role) {
    return change(
        caller,
        clock.instant(),
        store -> {
          boolean isNew = store.put(room, caller, userId, role);
          return new Joined(store.member(room, userId).orElseThrow(), isNew);
        });
  }

  /// Takes a member out of a room.
  void remove(String room, String caller, String userId) {
    boolean wasMember =
        change(caller, clock.instant(), store -> store.remove(room, caller, userId));
    if (!wasMember) {
      throw new RoomException(Reason.NO_SUCH_MEMBER);
    }
  }

  /// What a poke of a room did.
  ///
  /// @param members how many were poked
  /// @param notified how many connections are notified
  record Poked(int members, int notified) {}

  /// Pokes all members of a room, the caller first. A poke says that there is something new, which
  /// a reader can't have made.
  Poked poke(String room, String caller) {
    Set<String> members =
        read(store -> {
          if (!requireMember(store, room, caller).writes()) {
            throw new RoomException(Reason.NOT_A_WRITER);
          }
          return store.memberIds(room);
        });
    return new Poked(members.size(), outbox.poke(members, caller, PokeBus.Source.ROOM));
  }

  private static Role requireMember(RoomStore store, String room, String caller)
      throws SQLException {
    return store.role(room, caller).orElseThrow(() -> new RoomException(Reason.NOT_A_MEMBER));
  }

  private <T> T change(String caller, Instant now, Step<T> step) {
    return transactions.change(
        caller,
        PokeBus.Source.ROOM,
        (session, spaces) -> step.run(new RoomStore(session, spaces, now, limits)));
  }

  private <T> T read(Step<T> step) {
    return database.inSnapshot(
        session -> step.run(new RoomStore(session, new Spaces(session), clock.instant(), limits)));
  }
}
