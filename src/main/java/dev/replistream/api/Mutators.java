package dev.replistream.api;

import java.util.Map;

/// An application's mutators, found by `java.util.ServiceLoader` or given to the service when Java
/// code starts it. Beside them the built-in mutators are off, unless the setting
/// `mutators.built-in` is true; then one that has the name of a built-in mutator replaces it.
@FunctionalInterface
public interface Mutators {
  /// The mutators by name. Asked for once, at the start.
  Map<String, Mutator> mutators();
}
