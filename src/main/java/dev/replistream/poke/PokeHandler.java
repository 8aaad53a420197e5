package dev.replistream.poke;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.http.Json;
import dev.replistream.http.Problem;
import dev.replistream.http.Routes;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.util.Arrays;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/// `POST /poke-user`: pokes the caller, or others when the token's scope allows it. Thread-safe.
public final class PokeHandler implements Handler {
  /// The most users that one request may poke.
  private static final int MAX_USERS = 1_000;

  /// What simple clients send instead of nothing.
  private static final byte[] BARE_WORD = "sync".getBytes(StandardCharsets.US_ASCII);

  private final Authenticator authenticator;
  private final PokeBus bus;
  private final Clock clock;
  private final int maxBodyBytes;

  /// @param maxBodyBytes the largest body that is read
  public PokeHandler(Authenticator authenticator, PokeBus bus, Clock clock, int maxBodyBytes) {
    this.authenticator = authenticator;
    this.bus = bus;
    this.clock = clock;
    this.maxBodyBytes = maxBodyBytes;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Targets targets = targets(caller, Json.body(request, maxBodyBytes));
    boolean self = targets.userIds().equals(List.of(caller.userId()));
    if (!self && !caller.has(Caller.POKE_SCOPE)) {
      throw Problem.of(
              Status.FORBIDDEN_403,
              "Poking other users needs a token with the scope %s.".formatted(Caller.POKE_SCOPE))
          .toException();
    }
    int notified = 0;
    for (String userId : targets.userIds()) {
      notified += bus.poke(userId, self ? PokeBus.Source.SELF : PokeBus.Source.SERVICE);
    }
    Routes.sendJson(response, answer(targets, notified));
  }

  private byte[] answer(Targets targets, int notified) {
    return Json.write(json -> {
      json.writeStartObject();
      json.writeBooleanField("success", true);
      if (targets.many()) {
        json.writeArrayFieldStart("userIds");
        for (String userId : targets.userIds()) {
          json.writeString(userId);
        }
        json.writeEndArray();
      } else {
        json.writeStringField("userId", targets.userIds().getFirst());
      }
      json.writeNumberField("clientsNotified", notified);
      json.writeStringField("message", "User-specific sync triggered");
      json.writeStringField("timestamp", Json.timestamp(clock.instant()));
      json.writeEndObject();
    });
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
    if (!(Json.parse(body) instanceof Map<?, ?> object)) {
      throw bad("The body is a JSON object with userId or userIds, or there is none.");
    }
    if (object.isEmpty()) {
      return self;
    }
    if (object.size() > 1) {
      throw bad("The body has one key: userId or userIds.");
    }
    Object userId = object.get("userId");
    if (userId != null) {
      return new Targets(List.of(userId(userId)), false);
    }
    if (object.get("userIds") instanceof List<?> userIds) {
      if (userIds.isEmpty() || userIds.size() > MAX_USERS) {
        throw bad("userIds holds 1 to %d user ids.".formatted(MAX_USERS));
      }
      Set<String> distinct = new LinkedHashSet<>();
      userIds.forEach(each -> distinct.add(userId(each)));
      return new Targets(List.copyOf(distinct), true);
    }
    throw bad("The body has one key: userId (a string) or userIds (a list of strings).");
  }

  private static String userId(Object value) {
    if (value instanceof String userId && Caller.isUserId(userId)) {
      return userId;
    }
    throw bad("A user id is a string of 1 to 128 characters without control characters.");
  }

  private static RuntimeException bad(String detail) {
    return Problem.of(Status.BAD_REQUEST_400, detail).toException();
  }
}
