package dev.replistream.nodes;

import dev.replistream.auth.Caller;
import dev.replistream.auth.Caller.Credential;
import dev.replistream.auth.TicketStore;
import dev.replistream.http.Json;
import java.time.Duration;
import java.time.Instant;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// Tickets that are good on any node: they stand in Redis. While that is away a ticket is good on
/// the node that gave it. Thread-safe.
final class RedisTickets implements TicketStore {
  private final RedisPokeBus bus;
  private final TicketStore own;

  /// @param own where tickets are kept meanwhile
  RedisTickets(RedisPokeBus bus, TicketStore own) {
    this.bus = bus;
    this.own = own;
  }

  @Override
  public void put(String ticket, Caller caller, Duration life) {
    if (!bus.keep(caller.userId(), ticket, toJson(caller), life)) {
      own.put(ticket, caller, life);
    }
  }

  @Override
  public Optional<Caller> take(String ticket) {
    Optional<Caller> here = own.take(ticket);
    // it may stand in both, where Redis kept it and did not come to say so
    Optional<Caller> there = bus.take(ticket).map(RedisTickets::fromJson);
    return here.isPresent() ? here : there;
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
    if (!(Json.parse(text) instanceof Map<?, ?> object)
        || !(object.get("scope") instanceof List<?> scopes)) {
      throw new IllegalArgumentException("not a ticket of this release");
    }
    Set<String> scopeSet = new HashSet<>();
    scopes.forEach(scope -> scopeSet.add(String.valueOf(scope)));
    return new Caller(
        String.valueOf(object.get("sub")),
        scopeSet,
        Instant.parse(String.valueOf(object.get("exp"))),
        Credential.TICKET,
        Optional.ofNullable(object.get("sid")).map(String::valueOf),
        Optional.ofNullable(object.get("iat"))
            .map(iat -> Instant.parse(String.valueOf(iat)))
            .orElse(Instant.MIN));
  }
}
