package dev.replistream.poke;

/// One poke of one user. Immutable.
///
/// @param userId whose clients should pull
/// @param epoch which run of the counter the stamp belongs to
/// @param stamp its place in the order of all pokes of that epoch
/// @param nanoTime when it was stamped, or when word of it came to this node, by `System.nanoTime`
public record Poke(String userId, String epoch, long stamp, long nanoTime) {
  /// The `id:` of the event that tells of it.
  public EventId id() {
    return new EventId(epoch, stamp);
  }
}
