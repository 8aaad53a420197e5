package dev.replistream.room;

import dev.replistream.api.Member;
import dev.replistream.api.Role;
import dev.replistream.data.Burial;
import dev.replistream.data.MemberChange;
import dev.replistream.data.Outbox;
import dev.replistream.data.Room;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomException.Reason;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.poke.PokeBus;
import dev.replistream.presence.RoomPresence;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.function.Function;

/// The rooms as callers see and change them: each call is one transaction, or one snapshot. After
/// its commit, and only then, presence is told whose membership it changed, and those are poked
/// whose client view it changed; also where nobody knows whether it was committed.
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
  private final Outbox outbox;
  private final RoomSettings limits;
  private final RoomPresence presence;
  private final Clock clock;

  /// The rooms of a database.
  public Rooms(
      Database database, Outbox outbox, RoomSettings limits, RoomPresence presence, Clock clock) {
    this.database = database;
    this.outbox = outbox;
    this.limits = limits;
    this.presence = presence;
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
    buryRest(room);
    change(
        room,
        createdAt,
        store -> {
          store.create(room, caller);
          return room;
        },
        _ -> Set.of(caller),
        caller);
    return new Room(room, Role.OWNER, createdAt);
  }

  /// Buries what is left of a large room of this id that was deleted: a batch a transaction, so
  /// that nobody waits for all of it.
  private void buryRest(String room) {
    boolean isLeft = read(store -> store.isBeingBuried(room));
    while (isLeft) {
      isLeft =
          database.inTransaction(
                  session -> new Burial(session, new Spaces(session), clock.instant()).next(room))
              == Burial.BATCH;
    }
  }

  /// The rooms that the caller is a member of, in the order of the bytes of their ids.
  List<Room> list(String caller) {
    return read(store -> store.rooms(caller));
  }

  /// Deletes a room with its entries and members.
  void delete(String room, String caller) {
    change(room, clock.instant(), store -> store.delete(room, caller), lost -> lost, caller);
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
        room,
        clock.instant(),
        store -> {
          boolean isNew = store.put(room, caller, userId, role);
          return new Joined(store.member(room, userId).orElseThrow(), isNew);
        },
        joined -> joined.isNew() ? Set.of(userId) : Set.of(),
        caller);
  }

  /// Takes a member out of a room.
  void remove(String room, String caller, String userId) {
    boolean wasMember =
        change(
            room,
            clock.instant(),
            store -> store.remove(room, caller, userId),
            was -> was ? Set.of(userId) : Set.of(),
            caller);
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

  /// Runs a step on a room. Those whom its result concerns have joined or left it; they are poked,
  /// the caller first.
  private <T> T change(
      String room, Instant now, Step<T> step, Function<T, Set<String>> concerned, String caller) {
    return outbox.change(
        caller,
        PokeBus.Source.ROOM,
        owed ->
            owed.inTransaction(
                session -> step.run(new RoomStore(session, new Spaces(session), now, limits)),
                concerned,
                changed -> presence.membersChanged(changes(room, concerned.apply(changed)))));
  }

  private static List<MemberChange> changes(String room, Set<String> userIds) {
    return userIds.stream().map(userId -> new MemberChange(room, userId)).toList();
  }

  private <T> T read(Step<T> step) {
    return database.inSnapshot(
        session -> step.run(new RoomStore(session, new Spaces(session), clock.instant(), limits)));
  }
}
