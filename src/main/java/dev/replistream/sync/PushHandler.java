package dev.replistream.sync;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Bodies;
import dev.replistream.http.MediaTypes;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.http.RateLimit;
import dev.replistream.http.Routes;
import dev.replistream.http.TooMuchAtOnceException;
import dev.replistream.http.Unavailable;
import dev.replistream.rules.RulesAwayException;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;

/// `POST /push`. The client takes no status but 200 for success, and sends everything else again;
/// of the body of an answer it reads only the two errors that come with 200. Thread-safe.
public final class PushHandler implements Handler {
  /// RFC 4918, section 11.5.
  private static final Status INSUFFICIENT_STORAGE = Status.create(507, "Insufficient Storage");

  private static final byte[] DONE = "{}".getBytes(StandardCharsets.US_ASCII);

  private final Authenticator authenticator;
  private final Push push;
  private final Bodies bodies;
  private final SyncSettings settings;
  private final RateLimit limit;

  /// @param bodies how much of a body is read
  /// @param settings how many characters a mutation's arguments may have, and which versions of the
  ///   application's schema may push
  /// @param limit how often a user may push in a second
  public PushHandler(
      Authenticator authenticator,
      Push push,
      Bodies bodies,
      SyncSettings settings,
      RateLimit limit) {
    this.authenticator = authenticator;
    this.push = push;
    this.bodies = bodies;
    this.settings = settings;
    this.limit = limit;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    limit.take(caller.userId());
    MediaTypes.requireJson(request);
    Routes.sendJson(
        response, answer(new Pusher(caller.userId(), authenticator.claims(request)), request));
  }

  /// What is read counts until it is applied.
  private byte[] answer(Pusher pusher, ServerRequest request) {
    int maxArgsLength = settings.maxArgsLength();
    try (Bodies.Body body = bodies.open(request, pusher.userId())) {
      PushBody push =
          body.readPrefix(
              maxArgsLength, (parser, prefix) -> RequestReader.push(parser, prefix, maxArgsLength));
      return switch (push) {
        case VersionNotSupported version -> version.toJson();
        case PushRequest mutations when takes(mutations) -> answer(pusher, mutations);
        case PushRequest _ -> new VersionNotSupported(VersionNotSupported.Type.SCHEMA).toJson();
      };
    }
  }

  /// The client writes the version last: of a push that is too large it is taken for granted, as
  /// the client would else be told to load newer code again and again.
  private boolean takes(PushRequest request) {
    return settings.takes(request.schemaVersion())
        || (request.isCut() && request.schemaVersion().isEmpty());
  }

  private byte[] answer(Pusher pusher, PushRequest request) {
    try {
      return switch (push.push(pusher, request)) {
        case DONE -> {
          if (request.isCut()) {
            throw cut(request);
          }
          yield DONE;
        }
        case CLIENT_STATE_NOT_FOUND -> ClientStateNotFound.toJson();
        case GAP ->
            throw Problem.of(
                    Status.CONFLICT_409,
                    "A mutation is missing: of each client they have to come without a gap.")
                .toException();
        case NO_ROOM ->
            throw Problem.of(
                    INSUFFICIENT_STORAGE,
                    "This user takes so much of the disk that no new client is taken: delete something in one that has pushed before, or ask the operator for more.")
                .toException();
      };
    } catch (TooMuchAtOnceException | RulesAwayException e) {
      throw Unavailable.problem(String.valueOf(e.getMessage()));
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    }
  }

  /// A failure, so that the client sends what it has left. To 200 it would keep that until there is
  /// a new mutation.
  private static ProblemException cut(PushRequest request) {
    return Problem.of(
            Status.REQUEST_ENTITY_TOO_LARGE_413,
            "The push is too large: its first %s mutations were processed; pull, and send the rest again."
                .formatted(request.mutations().size()))
        .with(HeaderNames.RETRY_AFTER, "1")
        .toException();
  }
}
