package dev.replistream.cli;

import java.util.Optional;
import picocli.CommandLine.Option;

/// The address of the service that a command calls, as an option.
final class UrlOption {
  @Option(
      names = "--url",
      paramLabel = "URL",
      description = "The service. Default: REPLISTREAM_URL, else the configured port here.")
  private Optional<String> url = Optional.empty();

  /// What was given, for {@link ClientOptions#url}.
  Optional<String> given() {
    return url;
  }
}
