package dev.replistream.poke;

import dev.replistream.api.Id;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Arr;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Bodies;
import dev.replistream.http.Problem;
import dev.replistream.http.RateLimit;
import dev.replistream.http.Routes;
import dev.replistream.http.wire.Repeats;
import dev.replistream.json.Json;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// `POST /poke-user`: pokes the caller, or others when the token's scope allows it. Thread-safe.
public final class PokeHandler implements Handler {
  /// The most users that one request may poke.
  private static final int MAX_USERS = 1_000;

  /// The most users that are poked on a thread which other connections wait for: each may have some
  /// dozens of streams, and what one is told takes some microseconds.
  private static final int MAX_SHARED_USERS = 4;

  /// What simple clients send instead of nothing.
  private static final byte[] BARE_WORD = "sync".getBytes(StandardCharsets.US_ASCII);

  private final Authenticator authenticator;
  private final Poker poker;
  private final RateLimit limit;
  private final boolean mayBlock;
  private final Clock clock;
  private final Bodies bodies;

  /// @param limit how often a user may poke in a second, who is no backend service
  /// @param mayBlock whether `poker` may block, so that only a thread of the request's own may poke
  /// @param bodies how much of a body is read
  public PokeHandler(
      Authenticator authenticator,
      Poker poker,
      RateLimit limit,
      boolean mayBlock,
      Clock clock,
      Bodies bodies) {
    this.authenticator = authenticator;
    this.poker = poker;
    this.limit = limit;
    this.mayBlock = mayBlock;
    this.clock = clock;
    this.bodies = bodies;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Targets targets = targets(caller, bodies.read(request, caller.userId()));
    Routes.sendJson(response, poke(caller, targets));
    if (!mayBlock) {
      authenticator
          .later(request)
          .ifPresent(again ->
              Repeats.of(response, (body, isShared) -> pokeAgain(again.get(), body, isShared)));
    }
  }

  private byte @Nullable [] pokeAgain(Caller caller, byte[] body, boolean isShared) {
    Targets targets = targets(caller, body);
    return isShared && targets.userIds().size() > MAX_SHARED_USERS ? null : poke(caller, targets);
  }

  private byte[] poke(Caller caller, Targets targets) {
    boolean self = targets.userIds().equals(List.of(caller.userId()));
    if (!caller.has(Caller.POKE_SCOPE)) {
      if (!self) {
        throw Caller.needsScope("Poking other users", Caller.POKE_SCOPE);
      }
      limit.take(caller.userId());
    }
    PokeBus.Source source = self ? PokeBus.Source.SELF : PokeBus.Source.SERVICE;
    return answer(targets, poker.poke(targets.userIds(), source));
  }

  private byte[] answer(Targets targets, int notified) {
    String users =
        targets.many()
            ? targets.userIds().stream()
                .map(Json::quoted)
                .collect(Collectors.joining(",", "\"userIds\":[", "]"))
            : "\"userId\":" + Json.quoted(targets.userIds().getFirst());
    String answer =
        "{\"success\":true,"
            + users
            + ",\"clientsNotified\":"
            + notified
            + ",\"message\":\"User-specific sync triggered\",\"timestamp\":\""
            + Json.timestamp(clock.instant())
            + "\"}";
    return answer.getBytes(StandardCharsets.UTF_8);
  }

  /// Whom to poke.
  ///
  /// @param many whether the request gave a list
  private record Targets(List<String> userIds, boolean many) {}

  private static Targets targets(Caller caller, byte[] body) {
    Targets self = new Targets(List.of(caller.userId()), false);
    if (body.length == 0 || Arrays.equals(body, BARE_WORD)) {
      return self;
    }
    if (!(Bodies.parse(body, JsonValue::read) instanceof Obj(var object))) {
      throw bad("The body is a JSON object with userId or userIds, or there is none.");
    }
    if (object.isEmpty()) {
      return self;
    }
    if (object.size() > 1) {
      throw bad("The body has one key: userId or userIds.");
    }
    JsonValue userId = object.getOrDefault("userId", JsonValue.ofNull());
    if (!userId.isNull()) {
      return new Targets(List.of(userId(userId)), false);
    }
    if (object.get("userIds") instanceof Arr(var userIds)) {
      if (userIds.isEmpty() || userIds.size() > MAX_USERS) {
        throw bad("userIds holds 1 to %s user ids.".formatted(MAX_USERS));
      }
      Set<String> distinct = new LinkedHashSet<>();
      userIds.forEach(each -> distinct.add(userId(each)));
      return new Targets(List.copyOf(distinct), true);
    }
    throw bad("The body has one key: userId (a string) or userIds (a list of strings).");
  }

  private static String userId(JsonValue value) {
    if (value instanceof Str(String userId) && Id.isValid(userId)) {
      return userId;
    }
    throw bad("A user id is a string of 1 to 128 characters without control characters.");
  }

  private static RuntimeException bad(String detail) {
    return Problem.of(Status.BAD_REQUEST_400, detail).toException();
  }
}
