package dev.replistream.nodes;

/// How nodes meet in Redis.
///
/// @param url where it is
/// @param prefix what all its keys and channels begin with: two services that share a Redis have
///   two
public record RedisSettings(RedisUrl url, String prefix) {}
