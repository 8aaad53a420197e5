package dev.replistream.cli;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// Which file the settings are in: `--config`, before or after the command's name, or
/// `REPLISTREAM_CONFIG`.
final class ConfigFile {
  private final Map<String, String> environment;

  @Option(
      names = "--config",
      paramLabel = "FILE",
      scope = ScopeType.INHERIT,
      description = "The settings, in YAML. Environment variables override them.")
  private Optional<Path> option = Optional.empty();

  ConfigFile(Map<String, String> environment) {
    this.environment = environment;
  }

  /// The file, if one was named.
  Optional<Path> path() {
    return option.or(() ->
        Optional.ofNullable(environment.get("REPLISTREAM_CONFIG"))
            .filter(name -> !name.isBlank())
            .map(Path::of));
  }
}
