package dev.replistream.cli;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.json.Json;
import dev.replistream.json.JsonException;
import java.util.Map;
import java.util.Optional;

/// A response whose whole body is here. Immutable.
///
/// @param head its head
/// @param body its body
record Answer(Head head, String body) {

  /// The members of the body, where it is a JSON object; none otherwise.
  Map<String, JsonValue> json() {
    try {
      return Json.readStrict(body, JsonValue::read) instanceof Obj(var members)
          ? members
          : Map.of();
    } catch (JsonException _) {
      return Map.of(); // a page of a proxy, or nothing
    }
  }

  /// What the service says is wrong: the `detail` of its problem (RFC 9457); empty when the answer
  /// is not the service's own.
  Optional<String> detail() {
    return json().get("detail") instanceof Str(String detail)
        ? Optional.of(detail)
        : Optional.empty();
  }

  /// The status and what is wrong, in one line.
  String failure() {
    return head.status()
        + ": "
        + detail()
            .orElse("not an answer of Replistream, but of a proxy or another service on the way");
  }
}
