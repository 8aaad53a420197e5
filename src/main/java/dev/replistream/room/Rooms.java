package dev.replistream.room;

import dev.replistream.api.Member;
import dev.replistream.api.Role;
import dev.replistream.auth.Caller;
import dev.replistream.data.Actor;
import dev.replistream.data.Invitation;
import dev.replistream.data.Outbox;
import dev.replistream.data.Room;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomException.Reason;
import dev.replistream.data.RoomLink;
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
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Set;
import java.util.function.Supplier;

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

  /// What became of a user whom an owner puts in a room.
  sealed interface Put {}

  /// A member after a change.
  ///
  /// @param isNew whether the user was none before
  record Joined(String room, Member member, boolean isNew) implements Put {}

  /// Somebody who is to decide.
  record Invited(Invitation invitation) implements Put {}

  /// A link and the code that it needs.
  record Made(RoomLink link, String code) {}

  /// Who a caller is to a room.
  static Actor actor(Caller caller) {
    return new Actor(caller.userId(), caller.has(Caller.WRITE_SCOPE));
  }

  /// A step in a transaction of the store.
  @FunctionalInterface
  private interface Step<T> {
    T run(RoomStore store) throws SQLException;
  }

  RoomSettings limits() {
    return limits;
  }

  /// Runs `step`, and throws what it fails with as a problem.
  ///
  /// @throws dev.replistream.http.ProblemException for a broken rule or a database that is away
  <T> T orProblem(Supplier<T> step) {
    return RoomProblems.orProblem(limits, step);
  }

  /// Creates a room with an owner.
  Room create(String room, String owner) {
    Instant createdAt = clock.instant();
    purgeRest(room);
    change(
        owner,
        createdAt,
        store -> {
          store.create(room, owner);
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
  void delete(String room, Actor caller) {
    change(caller.userId(), clock.instant(), store -> store.delete(room, caller));
  }

  /// The members of a room of the caller's, in the order of the bytes of their ids.
  List<Member> members(String room, Actor caller) {
    return read(store -> {
      requireMember(store, room, caller);
      return store.members(room);
    });
  }

  /// Gives a member another role, or asks somebody else to join.
  ///
  /// @param invites is told before somebody is invited, and may throw
  Put put(String room, Actor caller, String userId, Role role, Runnable invites) {
    return change(
        caller.userId(),
        clock.instant(),
        store ->
            switch (store.put(room, caller, userId, role, invites)) {
              case CHANGED -> joined(store, room, userId, false);
              case JOINED -> joined(store, room, userId, true);
              case INVITED -> new Invited(store.invitation(room, userId));
            });
  }

  private static Joined joined(RoomStore store, String room, String userId, boolean isNew)
      throws SQLException {
    return new Joined(room, store.member(room, userId).orElseThrow(), isNew);
  }

  /// The open invitations of a user, the newest first.
  List<Invitation> invitations(String userId) {
    return read(store -> store.invitations(userId));
  }

  /// The invitations to a room, the newest first.
  List<Invitation> invitationsTo(String room, Actor caller) {
    return read(store -> store.invitationsTo(room, caller));
  }

  /// Accepts an invitation.
  Joined accept(String room, String userId) {
    return change(
        userId, clock.instant(), store -> joined(store, room, userId, store.accept(room, userId)));
  }

  /// Declines an invitation.
  void decline(String room, String userId) {
    write(store -> {
      store.decline(room, userId);
      return room;
    });
  }

  /// Takes an invitation back.
  void withdraw(String room, Actor caller, String userId) {
    if (!write(store -> store.withdraw(room, caller, userId))) {
      throw new RoomException(Reason.NO_SUCH_INVITATION);
    }
  }

  /// Makes a link.
  Made createLink(String room, Actor caller, Role role, Duration life, int uses) {
    return write(store -> {
      String code = store.createLink(room, caller, role, life, uses);
      return new Made(store.link(code).orElseThrow(), code);
    });
  }

  /// The links to a room that can be used, in the order of their ends.
  List<RoomLink> links(String room, Actor caller) {
    return read(store -> store.links(room, caller));
  }

  /// Ends a link.
  void removeLink(String room, Actor caller, String id) {
    write(store -> {
      store.removeLink(room, caller, id);
      return room;
    });
  }

  /// Joins by a link's code.
  Joined joinBy(String code, String userId) {
    // a link never leads to another room
    String room =
        read(store -> store.link(code))
            .map(RoomLink::room)
            .orElseThrow(() -> new RoomException(Reason.NO_SUCH_LINK));
    return change(
        userId, clock.instant(), store -> joined(store, room, userId, store.joinBy(code, userId)));
  }

  /// Takes a member out of a room.
  void remove(String room, Actor caller, String userId) {
    boolean wasMember =
        change(caller.userId(), clock.instant(), store -> store.remove(room, caller, userId));
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
          if (!requireMember(store, room, Actor.of(caller)).writes()) {
            throw new RoomException(Reason.NOT_A_WRITER);
          }
          return store.memberIds(room);
        });
    return new Poked(members.size(), outbox.poke(members, caller, PokeBus.Source.ROOM));
  }

  private static Role requireMember(RoomStore store, String room, Actor caller)
      throws SQLException {
    return store.right(room, caller).orElseThrow(() -> new RoomException(Reason.NOT_A_MEMBER));
  }

  private <T> T change(String caller, Instant now, Step<T> step) {
    return transactions.change(
        caller,
        PokeBus.Source.ROOM,
        (session, spaces) -> step.run(new RoomStore(session, spaces, now, limits)));
  }

  /// Runs a step that concerns nobody.
  private <T> T write(Step<T> step) {
    return database.inTransaction(
        session -> step.run(new RoomStore(session, new Spaces(session), clock.instant(), limits)));
  }

  private <T> T read(Step<T> step) {
    return database.inSnapshot(
        session -> step.run(new RoomStore(session, new Spaces(session), clock.instant(), limits)));
  }
}
