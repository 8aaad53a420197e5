package dev.replistream.api;

/// Tells clients that there is something new: for Java code that embeds the service and has written
/// something that a user should pull. What mutators write needs no such call. Thread-safe.
@FunctionalInterface
public interface Pokes {
  /// Pokes all clients of a user, whatever node they are connected to.
  ///
  /// @param userId the `sub` of the user's tokens
  /// @return how many connections were notified
  int notifyUser(String userId);
}
