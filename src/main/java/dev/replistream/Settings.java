package dev.replistream;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;

/// Everything that can be configured, read once and valid from then on. Immutable.
public sealed interface Settings permits ServiceSettings {
  /// Reads the defaults, then the file, then the environment, each over the one before.
  ///
  /// @param file a YAML file, whatever its name, if one was named
  /// @param environment the variables, as the process has them: `REPLISTREAM_PORT` and so on
  /// @throws SettingsException when a key is unknown or empty or a value is bad; its message names
  ///   the key
  static Settings load(Optional<Path> file, Map<String, String> environment) {
    return ServiceSettings.load(file, environment);
  }
}
