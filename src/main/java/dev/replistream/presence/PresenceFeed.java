package dev.replistream.presence;

import java.util.function.Consumer;

/// The presence that one connection has still to be told: for each room one list at the most, and
/// that the newest, so a client that is slow costs no memory. How a list is framed is the
/// connection's business.
///
/// Thread-safe.
public interface PresenceFeed extends AutoCloseable {
  /// Gives the next list to `write`, as JSON in UTF-8 on one line, if there is one. While `write`
  /// runs no room is taken from its user, so it must not wait: what it begins to write, the user
  /// may see.
  ///
  /// @return whether there was one
  boolean next(Consumer<byte[]> write);

  /// Forgets the connection, which has ended. Idempotent.
  @Override
  void close();

  /// Where feeds come from.
  @FunctionalInterface
  interface Source {
    /// A feed for a connection of a user, which gets the lists of all the user's rooms, now and as
    /// they change. The connection is registered before, so that nobody is missing.
    ///
    /// @param wake called when the feed, which had nothing, has something; it must not wait
    PresenceFeed open(String userId, Runnable wake);
  }
}
