package dev.replistream.stream;

import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.inspector.Inspector;
import dev.replistream.inspector.MutationFeed;
import dev.replistream.presence.PresenceFeed;
import dev.replistream.rejection.Rejections;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import org.jspecify.annotations.Nullable;

/// Where {@link Feeds} come from. Thread-safe.
///
/// @param presence not told over WebSockets
public record FeedSources(
    PresenceFeed.Source presence, Rejections rejections, Inspector inspector) {
  /// Whose mutations a client asks for.
  enum Watched {
    NOBODY,
    OWN,
    ALL
  }

  /// What a client asks for.
  record Wish(boolean presence, boolean rejections, Watched mutations) {
    private boolean isForNothing() {
      return !presence && !rejections && mutations == Watched.NOBODY;
    }
  }

  /// What a request asks for by its parameters.
  ///
  /// @throws ProblemException when it can't be had; no ticket is used up yet
  Wish wish(ServerRequest request, Transport transport) {
    return new Wish(
        transport == Transport.SSE && asksFor(request, "presence"),
        asksFor(request, "rejections"),
        watched(request));
  }

  /// Whether a parameter of the query is 1.
  private static boolean asksFor(ServerRequest request, String what) {
    return switch (parameter(request, what)) {
      case null -> false;
      case "0" -> false;
      case "1" -> true;
      default ->
          throw Problem.of(Status.BAD_REQUEST_400, what + " is 1, or 0 as when it is left out.")
              .toException();
    };
  }

  private Watched watched(ServerRequest request) {
    return switch (parameter(request, "mutations")) {
      case null -> Watched.NOBODY;
      case "own" -> Watched.OWN;
      case "all" -> {
        if (!inspector.showsAll()) {
          throw Problem.of(
                  Status.FORBIDDEN_403,
                  "Mutations of all users are shown in development mode only: ask for mutations=own.")
              .toException();
        }
        yield Watched.ALL;
      }
      default ->
          throw Problem.of(Status.BAD_REQUEST_400, "mutations is own, or all in development mode.")
              .toException();
    };
  }

  private static @Nullable String parameter(ServerRequest request, String name) {
    return request.query().isEmpty() ? null : request.query().first(name).orElse(null);
  }

  /// Opens what a registered connection asked for.
  Feeds open(Wish wish, Connection connection) {
    if (wish.isForNothing()) {
      return Feeds.NONE;
    }
    String userId = connection.caller().userId();
    return new Feeds(
        wish.presence ? presence.open(userId, connection::offerPresence) : null,
        wish.rejections ? rejections.open(userId, connection::offerRejection) : null,
        mutations(wish.mutations, userId, connection::offerMutation));
  }

  private @Nullable MutationFeed mutations(Watched watched, String userId, Runnable wake) {
    return switch (watched) {
      case NOBODY -> null;
      case OWN -> inspector.open(userId, wake);
      case ALL -> inspector.openAll(wake);
    };
  }
}
