package dev.replistream.cli;

import dev.replistream.auth.TokenSigner;
import dev.replistream.http.UrlHost;
import java.net.URI;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import picocli.CommandLine.Option;

/// Which service a command calls, and as whom. What stands on the command line counts before the
/// environment, and the environment before the settings, which are read only where they are needed.
final class ClientOptions {
  private static final Duration TOKEN_LIFE = Duration.ofHours(1);
  private static final int UNAUTHORIZED = 401;

  private final Service service;
  private final ConfigFile config;
  private final Map<String, String> environment;

  @Option(
      names = "--token",
      paramLabel = "TOKEN",
      description =
          "Call with this token. Better set REPLISTREAM_TOKEN: the list of processes shows options"
              + " to everyone.")
  private Optional<String> token = Optional.empty();

  @Option(
      names = "--user",
      paramLabel = "USER",
      description =
          "Call as this user, with a token signed as the command token does. In development mode"
              + " it is demo.")
  private Optional<String> user = Optional.empty();

  private Optional<String> signedWith = Optional.empty();

  ClientOptions(Service service, ConfigFile config, Map<String, String> environment) {
    this.service = service;
    this.config = config;
    this.environment = environment;
  }

  /// The service's address: `given`, or `REPLISTREAM_URL`, or that of the settings.
  URI url(Optional<String> given) {
    return given
        .or(() -> variable("REPLISTREAM_URL"))
        .map(Api::base)
        .orElseGet(() -> service.url(config.path()));
  }

  /// What gives the token for calls to `url`: always the same, or one that was just signed.
  ///
  /// @param scopes of a token that is signed here
  Supplier<String> credential(URI url, Set<String> scopes) {
    if (token.isPresent() && user.isPresent()) {
      throw new CommandException("give --token or --user, not both");
    }
    Optional<String> given =
        token.or(() -> user.isPresent() ? Optional.empty() : variable("REPLISTREAM_TOKEN"));
    if (given.isPresent()) {
      String text = given.get().strip();
      if (text.isEmpty() || !text.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
        throw new CommandException("a token is one word without spaces and line breaks");
      }
      return () -> text;
    }
    String userId = user.orElseGet(() -> developmentUser(url));
    TokenSigner signer = service.signer(config.path());
    signedWith = Optional.of(service.keyPlace(config.path()));
    Supplier<String> signed =
        () -> {
          try {
            return signer.sign(userId, scopes, TOKEN_LIFE);
          } catch (IllegalArgumentException e) {
            throw new CommandException("--user: " + e.getMessage());
          }
        };
    var _ = signed.get(); // a bad user is told before any call
    return signed;
  }

  /// What went wrong, in one line. Where a token was refused that was signed here it says with
  /// which key, as the service may have another.
  String failure(Answer answer) {
    return answer.failure() + hint(answer).map(hint -> " " + hint).orElse("");
  }

  /// What to look at where the service refused a token that was signed here.
  Optional<String> hint(Answer answer) {
    return signedWith
        .filter(_ -> answer.head().status() == UNAUTHORIZED && answer.detail().isPresent())
        .map(place ->
            "The token was signed here, with %s; a service that was started elsewhere, or with other"
                    .formatted(place)
                + " settings, has another key: run this where it runs, or give --token.");
  }

  private String developmentUser(URI url) {
    if (!UrlHost.of(url).filter(ClientOptions::isThisMachine).isPresent()
        || !service.isDevelopmentMode(config.path())) {
      throw new CommandException(
          "who is calling? Give --token or --user, or set REPLISTREAM_TOKEN");
    }
    return "demo";
  }

  private static boolean isThisMachine(String host) {
    return host.equalsIgnoreCase("localhost")
        || host.equals("[::1]")
        || host.matches("127(\\.\\d{1,3}){3}");
  }

  private Optional<String> variable(String name) {
    return ConfigFile.variable(environment, name);
  }
}
