package dev.replistream.stream;

import java.time.Duration;

/// The streams.
///
/// @param pingInterval after how long without an event a `ping` is sent
/// @param retry how long a client waits before it reconnects
/// @param writeTimeout after how long a client that does not read is cut off
/// @param drain over how long the streams' ends are spread at shutdown
/// @param maxConnections the most streams on this node
/// @param maxConnectionsPerUser the most streams of one user
public record StreamSettings(
    Duration pingInterval,
    Duration retry,
    Duration writeTimeout,
    Duration drain,
    int maxConnections,
    int maxConnectionsPerUser) {

  /// These settings with no more connections than `limit`.
  public StreamSettings atMost(int limit) {
    return new StreamSettings(
        pingInterval,
        retry,
        writeTimeout,
        drain,
        Math.min(maxConnections, limit),
        maxConnectionsPerUser);
  }
}
