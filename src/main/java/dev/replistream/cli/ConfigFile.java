package dev.replistream.cli;

import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import picocli.CommandLine.Option;
import picocli.CommandLine.ScopeType;

/// Which file the settings are in: `--config`, before or after the command's name, or
/// `REPLISTREAM_CONFIG`.
final class ConfigFile {
  private static final String VARIABLE = "REPLISTREAM_CONFIG";

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
    return option.or(() -> variable(environment, VARIABLE).map(ConfigFile::path));
  }

  private static Path path(String name) {
    try {
      return Path.of(name);
    } catch (InvalidPathException _) {
      throw new CommandException(VARIABLE + " is not the path of a file");
    }
  }

  /// A variable that is for the command line, if there is one. An empty one is a mistake, as an
  /// empty setting is.
  static Optional<String> variable(Map<String, String> environment, String name) {
    Optional<String> value = Optional.ofNullable(environment.get(name));
    if (value.filter(String::isBlank).isPresent()) {
      throw new CommandException(
          name + " is empty in the environment: unset it, or give it a value");
    }
    return value;
  }
}
