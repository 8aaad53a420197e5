package dev.replistream.cli;

import dev.replistream.http.Json;
import dev.replistream.http.ProblemException;
import java.util.Map;
import java.util.Optional;

/// A response whose whole body is here. Immutable.
///
/// @param head its head
/// @param body its body
record Answer(Head head, String body) {

  /// The members of the body, where it is a JSON object; none otherwise.
  Map<?, ?> json() {
    try {
      return Json.parse(body) instanceof Map<?, ?> object ? object : Map.of();
    } catch (ProblemException _) {
      return Map.of(); // a page of a proxy, or nothing
    }
  }

  /// What the service says is wrong: the `detail` of its problem (RFC 9457); empty when the answer
  /// is not the service's own.
  Optional<String> detail() {
    return json().get("detail") instanceof String detail ? Optional.of(detail) : Optional.empty();
  }

  /// The status and what is wrong, in one line.
  String failure() {
    return head.status()
        + ": "
        + detail()
            .orElse("not an answer of Replistream, but of a proxy or another service on the way");
  }
}
