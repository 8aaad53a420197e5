package dev.replistream.backend;

import dev.replistream.api.Id;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Key;
import dev.replistream.api.RejectedException;
import dev.replistream.data.Actor;
import dev.replistream.data.EntryReader;
import dev.replistream.data.EntryStore;
import dev.replistream.data.EntryStore.Place;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomException.Reason;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageFullException;
import dev.replistream.data.TreeLimit;
import dev.replistream.db.Session;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.rules.MergePatch;
import dev.replistream.rules.Op;
import io.helidon.http.Status;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What a backend service does to entries and rooms in one transaction, without a role in any. Each
/// space is locked before it is read, so what was read stays true. Confined to the transaction of
/// its {@link Session}.
final class OpWriter {
  private static final Actor BACKEND = new Actor("", true);

  private final String caller;
  private final Spaces spaces;
  private final RoomStore rooms;
  private final EntryReader reader;
  private final EntryStore entries;
  private final int maxValueBytes;

  /// @param caller who owns a room that is created for nobody else
  /// @param spaces those of the same transaction
  OpWriter(String caller, Session session, Spaces spaces, WriteLimits limits, Instant now) {
    this.caller = caller;
    this.spaces = spaces;
    rooms = new RoomStore(session, spaces, now, limits.rooms());
    reader = new EntryReader(session);
    entries = new EntryStore(session, spaces, limits.storage(), now);
    maxValueBytes = limits.maxValueBytes();
  }

  /// Sees to it that all conditions hold.
  ///
  /// @throws ProblemException 412 that names one that does not
  void require(List<Op.Condition> conditions) throws SQLException {
    for (int i = 0; i < conditions.size(); i++) {
      Op.Condition condition = conditions.get(i);
      String where = "if[" + i + "]: ";
      String space = at(where, () -> lock(condition.place()));
      Optional<Long> version = reader.version(space, Key.of(condition.key()));
      boolean holds =
          condition.version().isPresent()
              ? version.equals(Optional.of(condition.version().getAsLong()))
              : version.isEmpty();
      if (!holds) {
        throw Problem.of(
                Status.PRECONDITION_FAILED_412,
                where
                    + version
                        .map(found -> "The entry has version %s.".formatted(found))
                        .orElse("There is no such entry."))
            .with("if", Integer.toString(i))
            .toException();
      }
    }
  }

  /// Does all of it, one after the other.
  ///
  /// @throws ProblemException that names the one that can't be done
  void apply(List<Op> ops) throws SQLException {
    try (TreeLimit.Use trees = TreeLimit.ofHeap().begin()) {
      for (int i = 0; i < ops.size(); i++) {
        Op op = ops.get(i);
        at(
            "ops[" + i + "]: ",
            () -> {
              apply(op, trees);
              return op;
            });
      }
    }
  }

  private void apply(Op op, TreeLimit.Use trees) throws SQLException {
    switch (op) {
      case Op.Put put -> put(lock(put.place()), key(put.key()), put.json(), trees);
      case Op.Patch patch ->
          patch(lock(patch.place()), key(patch.key()), patch.json(), patch.create(), trees);
      case Op.Del del -> delete(lock(del.place()), Key.of(del.key()));
      case Op.CreateRoom create -> rooms.create(create.room(), create.owner().orElse(caller));
      case Op.DeleteRoom delete -> rooms.delete(delete.room(), BACKEND);
      case Op.PutMember put -> rooms.put(put.room(), BACKEND, put.userId(), put.role(), () -> {});
      case Op.RemoveMember remove -> {
        if (!rooms.remove(remove.room(), BACKEND, remove.userId())) {
          throw new RoomException(Reason.NO_SUCH_MEMBER);
        }
      }
    }
  }

  /// Locks a space that a caller names.
  ///
  /// @return its id
  String lock(Op.Place place) throws SQLException {
    return place.room().isPresent()
        ? lock(new Access.Target(place.room().get(), true))
        : lock(new Access.Target(place.user().orElseThrow(), false));
  }

  /// Locks a space.
  ///
  /// @return its id
  /// @throws RoomException where there is no such room
  String lock(Access.Target target) throws SQLException {
    if (target.isRoom()) {
      rooms.requireMember(target.id(), BACKEND);
    } else if (!Id.mayBeMade(target.id())) {
      throw new RoomException(Reason.BAD_ID);
    } else {
      spaces.lock(target.space());
    }
    return target.space();
  }

  /// Sets the key of a space that is locked.
  ///
  /// @param json the value as text
  void put(String space, Key key, String json, TreeLimit.Use trees) throws SQLException {
    trees.reads(json.length());
    write(space, key, JsonValue.parse(json));
  }

  /// Merges into the value of a key of a space that is locked.
  ///
  /// @param json the patch as text
  /// @param create whether an absent one is made
  /// @return whether there is one now
  boolean patch(String space, Key key, String json, boolean create, TreeLimit.Use trees)
      throws SQLException {
    Optional<EntryReader.Entry> before = reader.entry(space, key);
    if (before.isEmpty() && !create) {
      return false;
    }
    trees.reads(json.length());
    JsonValue target = JsonValue.ofNull();
    if (before.isPresent()) {
      trees.reads(before.get().value().length);
      target = JsonValue.parse(before.get().value());
    }
    write(space, key, MergePatch.apply(target, JsonValue.parse(json)));
    return true;
  }

  private void write(String space, Key key, JsonValue value) throws SQLException {
    byte[] bytes = value.toBytes();
    if (bytes.length > maxValueBytes) {
      throw Access.bad("The value has more than %s bytes.".formatted(maxValueBytes));
    }
    if (!value.isInRange()) {
      throw Access.bad("The value has a number beyond 1.8e308.");
    }
    entries.put(Place.in(space), key, bytes);
  }

  /// Deletes a key of a space that is locked.
  ///
  /// @return whether it was there
  boolean delete(String space, Key key) throws SQLException {
    return entries.delete(Place.in(space), key);
  }

  /// The version of an entry of a space that is locked.
  Optional<Long> version(String space, Key key) throws SQLException {
    return reader.version(space, key);
  }

  /// A key that may be stored.
  static Key key(String text) {
    try {
      return Key.of(text).storable();
    } catch (RejectedException _) {
      throw Access.bad("A key has %s bytes in UTF-8 at most.".formatted(Key.MAX_BYTES));
    }
  }

  /// A part of the work.
  @FunctionalInterface
  interface Step<T> {
    T run() throws SQLException;
  }

  /// Runs a part of the work, and says where it was where that fails.
  ///
  /// @param where which part of the request it is, such as `ops[3]: `
  /// @throws ProblemException that begins with `where`
  static <T> T at(String where, Step<T> step) throws SQLException {
    try {
      return step.run();
    } catch (RoomException e) {
      throw Access.problem(where, e);
    } catch (StorageFullException e) {
      throw Access.problem(where, e);
    } catch (ProblemException e) {
      throw where.isEmpty()
          ? e
          : Problem.of(e.problem().status(), where + e.problem().detail()).toException();
    }
  }
}
