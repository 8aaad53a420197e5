package dev.replistream.room;

import dev.replistream.api.Role;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomSettings;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Problem;
import dev.replistream.http.Unavailable;
import io.helidon.http.Status;
import java.util.Arrays;
import java.util.function.Supplier;
import java.util.stream.Collectors;

/// What a caller is told when a room's rules forbid what it asked for. Stateless.
final class RoomProblems {
  private static final String ROLES =
      Arrays.stream(Role.values()).map(Role::label).collect(Collectors.joining(", "));

  private RoomProblems() {}

  /// Runs `step`, and throws what it fails with as a problem.
  ///
  /// @throws dev.replistream.http.ProblemException for a broken rule or a database that is away
  static <T> T orProblem(RoomSettings limits, Supplier<T> step) {
    try {
      return step.get();
    } catch (RoomException e) {
      throw of(e.reason(), limits).toException();
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    }
  }

  private static Problem of(RoomException.Reason reason, RoomSettings limits) {
    return switch (reason) {
      case BAD_ID ->
          Problem.of(
              Status.BAD_REQUEST_400,
              "An id is a string of 1 to 128 characters without control characters.");
      case TAKEN ->
          Problem.of(Status.CONFLICT_409, "There is a room of that id already: choose another.");
      case NOT_A_MEMBER ->
          Problem.of(Status.NOT_FOUND_404, "There is no room of that id that you are a member of.");
      case NO_SUCH_MEMBER -> Problem.of(Status.NOT_FOUND_404, "The room has no member of that id.");
      case NOT_AN_OWNER ->
          Problem.of(Status.FORBIDDEN_403, "Only an owner of the room may do this.");
      case NOT_A_WRITER ->
          Problem.of(Status.FORBIDDEN_403, "Only an owner or a writer of the room may do this.");
      case LAST_OWNER ->
          Problem.of(
              Status.CONFLICT_409,
              "The room would have no owner: make another member an owner first, or delete it.");
      case TOO_MANY_ROOMS ->
          Problem.of(
              Status.FORBIDDEN_403,
              "A user may be in %s rooms, and is: one has to be left first."
                  .formatted(limits.maxPerUser()));
      case TOO_MANY_MEMBERS ->
          Problem.of(
              Status.FORBIDDEN_403,
              "A room may have %s members, and has: one has to leave first."
                  .formatted(limits.maxMembers()));
    };
  }

  /// The answer to a body that has not one member of that name, which is a string.
  static RuntimeException badBody(String name) {
    return Problem.of(
            Status.BAD_REQUEST_400, "The body is a JSON object with one key, %s.".formatted(name))
        .toException();
  }

  static RuntimeException unknownRole() {
    return Problem.of(Status.BAD_REQUEST_400, "A role is one of %s.".formatted(ROLES))
        .toException();
  }
}
