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
              "An id is a string of 1 to 128 characters without control characters, not . or .. alone.");
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
      case NOT_INVITED ->
          Problem.of(
              Status.NOT_FOUND_404,
              "You are not invited to a room of that id: ask an owner for an invitation or a link.");
      case NO_SUCH_INVITATION ->
          Problem.of(Status.NOT_FOUND_404, "Nobody of that id is invited to the room.");
      case MEMBER_ALREADY ->
          Problem.of(Status.CONFLICT_409, "The user is a member of the room already.");
      case TOO_MANY_INVITATIONS ->
          Problem.of(
              Status.FORBIDDEN_403,
              "A room may have %1$s invitations, and one user may send %1$s, and one of them has: withdraw some, and wait for a day."
                  .formatted(limits.maxInvitations()));
      case INVITED_TOO_OFTEN ->
          Problem.of(
              Status.FORBIDDEN_403,
              "The user has as many invitations as one may have, in all or from one inviter: they have to answer one first, or 30 days have to pass.");
      case TOO_MANY_LINKS ->
          Problem.of(
              Status.FORBIDDEN_403,
              "A room may have %s links, and has: delete one first.".formatted(limits.maxLinks()));
      case BAD_LINK ->
          Problem.of(
              Status.BAD_REQUEST_400,
              "A link makes writers or readers, for 30 days and as many users as a room may have members, at the most.");
      case NO_SUCH_LINK ->
          Problem.of(
              Status.NOT_FOUND_404,
              "There is no such link: it may have expired, been used up, or been deleted; ask for another one.");
    };
  }

  /// The answer to a body that says what it can't.
  static RuntimeException bad(String detail) {
    return Problem.of(Status.BAD_REQUEST_400, detail).toException();
  }

  static RuntimeException unknownRole() {
    return bad("A role is one of %s.".formatted(ROLES));
  }

  static RuntimeException ownersByLink() {
    return bad("A link makes writers or readers, not owners.");
  }
}
