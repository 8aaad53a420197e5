package dev.replistream.web;

import java.nio.file.Path;
import java.util.List;

/// What the server shows to a browser besides its API and its client script.
///
/// @param console whether it has the console and the demo
/// @param replicachePackages where the demo looks for the npm package `replicache`: the first that
///   is there is used
public record WebSettings(boolean console, List<Path> replicachePackages) {
  /// Copies the list.
  public WebSettings {
    replicachePackages = List.copyOf(replicachePackages);
  }
}
