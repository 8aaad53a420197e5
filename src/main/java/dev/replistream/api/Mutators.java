package dev.replistream.api;

import java.util.Map;

/// An application's mutators, found by `java.util.ServiceLoader` or given to the service when Java
/// code starts it. One that has the name of a built-in mutator replaces it.
@FunctionalInterface
public interface Mutators {
  /// The mutators by name. Asked for once, at the start.
  Map<String, Mutator> mutators();
}
