package dev.replistream.nodes;

import java.time.Instant;

/// What is known of a user who is present. Immutable.
///
/// @param sessions how many connections are open; 0 for one who may yet come back
/// @param since when the user came
public record Present(int sessions, Instant since) {
  /// What both say together.
  public Present and(Present other) {
    return new Present(
        sessions + other.sessions, since.isBefore(other.since) ? since : other.since);
  }
}
