package dev.replistream.backend;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Transactions;
import dev.replistream.data.UserErasure;
import dev.replistream.poke.PokeBus;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.sql.SQLException;
import java.time.Clock;
import java.util.List;
import java.util.Optional;

/// `DELETE /users/{userId}`: erases a user. Each transaction takes a part, so nobody waits for
/// long; one that was cut short is sent again, and goes on. Thread-safe.
public final class UserHandler implements Handler {
  private final Authenticator authenticator;
  private final Transactions transactions;
  private final RoomSettings rooms;
  private final Clock clock;

  /// A handler that erases by `transactions`.
  public UserHandler(
      Authenticator authenticator, Transactions transactions, RoomSettings rooms, Clock clock) {
    this.authenticator = authenticator;
    this.transactions = transactions;
    this.rooms = rooms;
    this.clock = clock;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Access.requireWriter(caller, "Erasing a user");
    Query.of(request);
    String userId = Access.Target.of(request).id();
    Access.orProblem(() -> {
      leaveRooms(userId);
      forgetClients(userId);
      forgetEntries(userId);
      return userId;
    });
    response.status(Status.NO_CONTENT_204).send();
  }

  /// A part of the work.
  @FunctionalInterface
  private interface Part<T> {
    T run(UserErasure erasure, RoomStore store) throws SQLException;
  }

  private <T> T change(String userId, Part<T> part) {
    return transactions.change(
        userId,
        PokeBus.Source.SERVICE,
        (session, spaces) ->
            part.run(
                new UserErasure(session, spaces, userId),
                new RoomStore(session, spaces, clock.instant(), rooms)));
  }

  private void leaveRooms(String userId) {
    boolean isIn = true;
    while (isIn) {
      isIn =
          change(
              userId,
              (erasure, store) -> {
                Optional<String> room = erasure.room();
                if (room.isPresent()) {
                  store.erase(room.get(), userId);
                }
                return room.isPresent();
              });
    }
  }

  private void forgetClients(String userId) {
    List<String> groups = List.of();
    do {
      for (String group : groups) {
        change(
            userId,
            (erasure, _) -> {
              erasure.deleteClientGroup(group);
              return group;
            });
      }
      groups = change(userId, (erasure, _) -> erasure.clientGroups());
    } while (!groups.isEmpty());
  }

  private void forgetEntries(String userId) {
    while (change(userId, (erasure, _) -> erasure.deleteEntries())) {
      // there are more
    }
    change(
        userId,
        (erasure, _) -> {
          erasure.deleteMessages();
          return userId;
        });
    Optional<Long> next = Optional.of(0L);
    while (next.isPresent()) {
      long from = next.get();
      next = change(userId, (erasure, _) -> erasure.deleteLines(from));
    }
  }
}
