package dev.replistream.nodes;

import dev.replistream.api.JsonValue;
import dev.replistream.auth.Caller;
import dev.replistream.auth.Caller.Credential;
import dev.replistream.auth.TicketStore;
import dev.replistream.json.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.stream.Collectors;

/// Tickets that are good on any node: they stand in Redis. While that is away a ticket is good on
/// the node that gave it. Thread-safe.
public final class RedisTickets implements TicketStore {
  private final RedisConnection redis;
  private final RedisCommands commands;
  private final TicketStore own;

  /// @param own where tickets are kept meanwhile
  public RedisTickets(RedisConnection redis, TicketStore own) {
    this.redis = redis;
    this.commands = redis.commands();
    this.own = own;
  }

  @Override
  public void put(String ticket, Caller caller, Duration life) {
    if (!keep(caller.userId(), ticket, toJson(caller), life)) {
      own.put(ticket, caller, life);
    }
  }

  @Override
  public Optional<Caller> take(String ticket) {
    Optional<Caller> here = own.take(ticket);
    // it may stand in both, where Redis kept it and did not come to say so
    Optional<Caller> there =
        redis
            .whileUp(() -> RedisLink.await(commands.take(ticket)), Optional::<String>empty)
            .map(RedisTickets::fromJson);
    return here.isPresent() ? here : there;
  }

  /// Keeps a user's ticket for a while. One that it pushes out is taken away later.
  ///
  /// @return whether it is kept
  private boolean keep(String userId, String ticket, String text, Duration life) {
    return redis.whileUp(
        () -> {
          var pushedOut = commands.issue(userId, ticket, TicketStore.MAX_PER_USER, life);
          boolean isKept = RedisLink.await(commands.keep(ticket, text, life)) == 1;
          RedisLink.await(pushedOut)
              .filter(oldest -> !oldest.equals(ticket))
              .ifPresent(oldest -> redis.watch(commands.take(oldest)));
          return isKept;
        },
        () -> false);
  }

  /// How a ticket was asked for says nothing about the caller that it stands for.
  static String toJson(Caller caller) {
    return Json.writeText(json -> {
      json.writeStartObject();
      json.writeStringField("sub", caller.userId());
      json.writeArrayFieldStart("scope");
      for (String scope : caller.scopes()) {
        json.writeString(scope);
      }
      json.writeEndArray();
      json.writeStringField("exp", caller.expiresAt().toString());
      if (caller.sid().isPresent()) {
        json.writeStringField("sid", caller.sid().get());
      }
      if (!caller.issuedAt().equals(Instant.MIN)) {
        json.writeStringField("iat", caller.issuedAt().toString());
      }
      json.writeEndObject();
    });
  }

  static Caller fromJson(String text) {
    JsonValue ticket = Json.readStrict(text, JsonValue::read);
    return new Caller(
        ticket.get("sub").asText(),
        ticket.get("scope").asElements().stream()
            .map(JsonValue::asText)
            .collect(Collectors.toSet()),
        Instant.parse(ticket.get("exp").asText()),
        Credential.TICKET,
        ticket.find("sid").map(JsonValue::asText),
        ticket.find("iat").map(JsonValue::asText).map(Instant::parse).orElse(Instant.MIN));
  }
}
