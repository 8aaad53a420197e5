package dev.replistream.web;

import java.util.Optional;

/// What the pages know of the mutators that the service runs now. Thread-safe.
public interface RulesInUse {
  /// Whether there is a mutator of this name.
  boolean has(String name);

  /// Whether it is one that is built in.
  boolean isBuiltIn(String name);

  /// Why a file of mutators that has changed can't be used, while those from before are.
  Optional<String> staleness();
}
