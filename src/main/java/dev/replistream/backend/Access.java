package dev.replistream.backend;

import dev.replistream.api.Id;
import dev.replistream.api.Member;
import dev.replistream.auth.Caller;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageFullException;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Session;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.http.Unavailable;
import dev.replistream.rules.Op;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.sql.SQLException;
import java.time.Instant;
import java.util.Optional;
import java.util.function.Supplier;

/// Who may read and write what, and what they are told where they may not. A user reads what their
/// clients see; a backend service reads and writes everything by its scope. Stateless.
final class Access {
  /// RFC 4918, section 11.5.
  private static final Status INSUFFICIENT_STORAGE = Status.create(507, "Insufficient Storage");

  /// RFC 9110, section 15.5.21.
  static final Status UNPROCESSABLE_CONTENT = Status.create(422, "Unprocessable Content");

  private Access() {}

  /// A space that a request names by its path: `/rooms/{room}/…` or `/users/{userId}/…`.
  ///
  /// @param id of a room, or of a user
  record Target(String id, boolean isRoom) {
    /// What the path of `request` names.
    ///
    /// @throws ProblemException 400 where that is no id
    static Target of(ServerRequest request) {
      Optional<String> room = request.path().pathParameters().first("room").asOptional();
      String id = room.orElseGet(() -> request.path().pathParameters().get("userId"));
      if (!Id.isValid(id)) {
        throw bad(
            "An id is a string of 1 to 128 characters without control characters, not . or .. alone.");
      }
      return new Target(id, room.isPresent());
    }

    /// The same as an op names it.
    Op.Place place() {
      return new Op.Place(
          isRoom ? Optional.of(id) : Optional.empty(), isRoom ? Optional.empty() : Optional.of(id));
    }

    /// Its space.
    String space() {
      return isRoom ? Spaces.ofRoom(id) : Spaces.ofUser(id);
    }
  }

  /// Whether a caller is a backend service that may read.
  static boolean isReader(Caller caller) {
    return caller.has(Caller.READ_SCOPE) || isWriter(caller);
  }

  /// Whether a caller is a backend service that may write.
  static boolean isWriter(Caller caller) {
    return caller.has(Caller.WRITE_SCOPE);
  }

  /// Refuses whoever is no backend service that may write.
  ///
  /// @param what they would do
  static void requireWriter(Caller caller, String what) {
    if (!isWriter(caller)) {
      throw Caller.needsScope(what, Caller.WRITE_SCOPE);
    }
  }

  /// Refuses whoever may not read a space, without a look at it where that would tell something.
  ///
  /// @return since when a user may, where they are a member of a room; empty where it makes no
  ///   difference
  static Optional<Instant> requireReader(
      Caller caller, Target target, Session session, RoomSettings limits) throws SQLException {
    if (!target.isRoom) {
      if (!target.id.equals(caller.userId()) && !isReader(caller)) {
        throw Caller.needsScope("Reading what is another user's", Caller.READ_SCOPE);
      }
      return Optional.empty();
    }
    RoomStore rooms = new RoomStore(session, new Spaces(session), Instant.EPOCH, limits);
    if (isReader(caller)) {
      if (!rooms.exists(target.id)) {
        throw Problem.of(Status.NOT_FOUND_404, "There is no room of that id.").toException();
      }
      return Optional.empty();
    }
    return Optional.of(
        rooms
            .member(target.id, caller.userId())
            .map(Member::since)
            .orElseThrow(() ->
                Problem.of(
                        Status.NOT_FOUND_404,
                        "There is no room of that id that you are a member of.")
                    .toException()));
  }

  static ProblemException bad(String detail) {
    return Problem.of(Status.BAD_REQUEST_400, detail).toException();
  }

  /// What a write is refused with by the rules of rooms.
  ///
  /// @param where which part of the request it is, such as `ops[3]: `
  static ProblemException problem(String where, RoomException e) {
    return switch (e.reason()) {
      case NOT_A_MEMBER ->
          Problem.of(Status.NOT_FOUND_404, where + "There is no room of that id.").toException();
      case NO_SUCH_MEMBER ->
          Problem.of(Status.NOT_FOUND_404, where + "The room has no member of that id.")
              .toException();
      case TAKEN ->
          Problem.of(Status.CONFLICT_409, where + "There is a room of that id already.")
              .toException();
      case LAST_OWNER ->
          Problem.of(
                  Status.CONFLICT_409,
                  where + "The room would have no owner: make another member one first.")
              .toException();
      case BAD_ID ->
          bad(
              where
                  + "An id is a string of 1 to 128 characters without control characters, not . or .. alone.");
      case TOO_MANY_ROOMS ->
          Problem.of(Status.FORBIDDEN_403, where + "The user would be in too many rooms.")
              .toException();
      case TOO_MANY_MEMBERS ->
          Problem.of(Status.FORBIDDEN_403, where + "The room would have too many members.")
              .toException();
      default ->
          Problem.of(Status.FORBIDDEN_403, where + "The room does not allow it.").toException();
    };
  }

  /// What a write is refused with that has no place on the disk.
  static ProblemException problem(String where, StorageFullException e) {
    return Problem.of(INSUFFICIENT_STORAGE, where + e.getMessage() + ".").toException();
  }

  /// Runs `step`, and throws what it fails with as a problem.
  ///
  /// @throws ProblemException 503 for a database that is away
  static <T> T orProblem(Supplier<T> step) {
    try {
      return step.get();
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    }
  }
}
