package dev.replistream.poke;

import java.util.Map;

/// What a {@link Cursor} knows, at rest: all that it takes to go on counting in another process.
/// Immutable.
///
/// @param epoch names the run of the counter
/// @param counter the last stamp that was given, 0 for none
/// @param oldCeiling no stamp in `old` is above it
/// @param floor no user that is in neither generation was poked after it
/// @param young the younger generation: users and their last stamps
/// @param old the older one
public record CursorState(
    String epoch,
    long counter,
    long oldCeiling,
    long floor,
    Map<String, Long> young,
    Map<String, Long> old) {
  /// Copies the maps.
  public CursorState {
    young = Map.copyOf(young);
    old = Map.copyOf(old);
  }

  /// Nobody was poked yet.
  static CursorState begin(String epoch) {
    return new CursorState(epoch, 0, 0, 0, Map.of(), Map.of());
  }

  /// The same, as if `stamps` more had been given to users that don't exist.
  CursorState movedOn(long stamps) {
    return new CursorState(epoch, counter + stamps, oldCeiling, floor, young, old);
  }
}
