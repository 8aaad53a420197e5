package dev.replistream.auth;

import dev.replistream.SettableClock;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Collectors;

/// The members of a JSON object as raw JSON, so that a test can write wrong ones too. Immutable.
record Claims(Map<String, String> members) {

  /// What a good token of alice says at `clock`, for an hour.
  static Claims ofAlice(SettableClock clock) {
    return new Claims(Map.of())
        .with("iss", "\"https://issuer.example\"")
        .with("aud", "\"replistream\"")
        .with("sub", "\"alice\"")
        .with("iat", clock.epochSecond())
        .with("exp", clock.epochSecond() + 3600);
  }

  Claims with(String name, Object json) {
    Map<String, String> more = new LinkedHashMap<>(members);
    more.put(name, json.toString());
    return new Claims(more);
  }

  Claims without(String name) {
    Map<String, String> fewer = new LinkedHashMap<>(members);
    fewer.remove(name);
    return new Claims(fewer);
  }

  String json() {
    return members.entrySet().stream()
        .map(member -> "\"%s\":%s".formatted(member.getKey(), member.getValue()))
        .collect(Collectors.joining(",", "{", "}"));
  }
}
