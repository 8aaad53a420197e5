package dev.replistream.backend;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.replistream.api.Id;
import dev.replistream.api.JsonValue;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.Spaces;
import dev.replistream.data.Transactions;
import dev.replistream.db.Session;
import dev.replistream.http.Bodies;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.http.RateLimit;
import dev.replistream.http.Unavailable;
import dev.replistream.json.JsonText;
import dev.replistream.poke.PokeBus;
import dev.replistream.rules.RulesAwayException;
import dev.replistream.sync.Push;
import dev.replistream.sync.SingleMutation;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// `POST /mutations`: runs a rule for a user, who need not be a client: the user themselves, or a
/// backend service for anybody. Thread-safe.
public final class MutationHandler implements Handler {
  private static final byte[] APPLIED = "{\"applied\":true}".getBytes(StandardCharsets.US_ASCII);

  private final Authenticator authenticator;
  private final Transactions transactions;
  private final Push push;
  private final Bodies bodies;
  private final int maxArgsLength;
  private final RateLimit limit;
  private final Clock clock;

  /// @param bodies how much of a body is read
  /// @param maxArgsLength how many characters the arguments may have
  /// @param limit how often a user may push in a second, who is no backend service
  public MutationHandler(
      Authenticator authenticator,
      Transactions transactions,
      Push push,
      Bodies bodies,
      int maxArgsLength,
      RateLimit limit,
      Clock clock) {
    this.authenticator = authenticator;
    this.transactions = transactions;
    this.push = push;
    this.bodies = bodies;
    this.maxArgsLength = maxArgsLength;
    this.limit = limit;
    this.clock = clock;
  }

  /// What is asked for.
  ///
  /// @param args as JSON
  private record Wanted(String userId, String name, String args) {}

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    if (!Access.isWriter(caller)) {
      limit.take(caller.userId());
    }
    try (Bodies.Body body = bodies.open(request, caller.userId())) {
      byte[] bytes = body.readAll();
      Idempotency idempotency = Idempotency.of(request, caller, bytes);
      Wanted wanted = Bodies.parseLong(bytes, parser -> wanted(parser, caller));
      Supplier<JsonValue> claims =
          wanted.userId.equals(caller.userId())
              ? authenticator.claims(request)
              : () -> JsonValue.object(Map.of("sub", JsonValue.of(wanted.userId)));
      SingleMutation mutation = push.single(wanted.userId, claims, wanted.name, wanted.args);
      Instant now = clock.instant();
      try {
        Idempotency.Answer answer =
            mutation.decided(() ->
                Access.orProblem(() ->
                    transactions.change(
                        wanted.userId,
                        PokeBus.Source.SERVICE,
                        (session, spaces) ->
                            idempotency.run(
                                session, spaces, now, () -> run(mutation, session, spaces)))));
        mutation.committed();
        answer.send(response);
      } catch (RulesAwayException e) {
        throw Unavailable.problem(String.valueOf(e.getMessage()));
      } finally {
        mutation.ended();
      }
    }
  }

  private static Idempotency.Answer run(SingleMutation mutation, Session session, Spaces spaces)
      throws SQLException {
    Optional<SingleMutation.Refusal> refusal = mutation.run(session, spaces);
    if (refusal.isPresent()) {
      throw Problem.of(Access.UNPROCESSABLE_CONTENT, refusal.get().message())
          .with("code", refusal.get().code())
          .toException();
    }
    return new Idempotency.Answer(Status.OK_200, APPLIED);
  }

  private Wanted wanted(JsonParser parser, Caller caller) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw needs();
    }
    String userId = caller.userId();
    @Nullable String name = null;
    @Nullable JsonText args = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String member = parser.currentName();
      parser.nextToken();
      switch (member) {
        case "userId" -> userId = text(parser);
        case "name" -> name = text(parser);
        case "args" -> args = JsonText.read(parser, maxArgsLength, () -> true);
        default -> throw needs();
      }
    }
    if (name == null) {
      throw needs();
    }
    if (!Id.mayBeMade(userId)) {
      throw Access.bad("userId is a string of 1 to 128 characters without control characters.");
    }
    if (!userId.equals(caller.userId())) {
      Access.requireWriter(caller, "Running a rule as another user");
    }
    return new Wanted(userId, name, args(args == null ? JsonText.NULL : args));
  }

  private String args(JsonText args) {
    return args.text()
        .orElseThrow(() ->
            Access.bad(
                args.isTooLong()
                    ? "args have more than %s characters.".formatted(maxArgsLength)
                    : "args nest deeper than 512."));
  }

  private static String text(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_STRING) {
      throw needs();
    }
    return parser.getText();
  }

  private static ProblemException needs() {
    return Access.bad(
        "The body is a JSON object with name, a string, args, and userId, a string, where another user is meant.");
  }
}
