package dev.replistream.api;

/// The keys from `first` on that begin with `prefix`. Immutable.
///
/// @param first not before the prefix; beyond all keys that begin with it there are none
/// @param prefix the empty key for all
public record KeyRange(Key first, Key prefix) {}
