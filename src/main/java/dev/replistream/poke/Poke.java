package dev.replistream.poke;

/// One poke of one user. Immutable.
///
/// @param userId whose clients should pull
/// @param stamp its place in the order of all pokes of this node's epoch
/// @param nanoTime when it was stamped, by `System.nanoTime`
public record Poke(String userId, long stamp, long nanoTime) {}
