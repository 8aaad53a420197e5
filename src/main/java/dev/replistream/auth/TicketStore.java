package dev.replistream.auth;

import java.time.Duration;
import java.util.Optional;

/// Where unused tickets are kept: on one node, or for all. Thread-safe.
public interface TicketStore {
  /// How many of the tickets that a user got are good: the latest. A user who asks for more pushes
  /// out their own oldest, and nobody else's.
  int MAX_PER_USER = 100;

  /// Keeps a ticket.
  ///
  /// @param life for how long; above zero
  void put(String ticket, Caller caller, Duration life);

  /// Takes a ticket, so that of all who ask for it one gets its caller; empty when it is unknown,
  /// too old or taken.
  Optional<Caller> take(String ticket);
}
