package dev.replistream.auth;

import java.net.URI;
import java.net.URISyntaxException;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.Locale;
import java.util.Optional;

/// Where the keys that verify tokens come from. Thread-safe.
public abstract sealed class Keys implements AutoCloseable permits FixedKeys, UrlKeys {
  static final String JWKS = "replistream.auth.jwks";

  Keys() {}

  /// The key of a shared secret, for HS256.
  ///
  /// @param secret at least 32 bytes in UTF-8
  /// @throws KeysException when it is shorter
  public static Keys sharedSecret(String secret) {
    return new FixedKeys(KeySet.ofSecret(secret));
  }

  /// The keys of a JWK set in a file, read once.
  ///
  /// @throws KeysException when the file can't be read, is larger than 1 MiB, is no JWK set, or
  ///   holds no key that can verify tokens
  public static Keys jwkSetFile(Path file) {
    return FixedKeys.ofFile(file);
  }

  /// The keys of a JWK set at a URL. It is read in the background from now on, again when it is too
  /// old, and again when a token names a key that is not in it. While the URL fails the last good
  /// set stays in use; before there is one, tokens are refused with status 503.
  ///
  /// @param url http or https, without user and password
  /// @param refresh how old a set gets
  /// @param refreshCoolDown the least time between the starts of two reads
  /// @throws KeysException when the URL is not such a one
  public static Keys jwksUrl(URI url, Duration refresh, Duration refreshCoolDown, Clock clock) {
    return UrlKeys.start(new JwksUrl(url, JwksUrl.TIMEOUT), refresh, refreshCoolDown, clock);
  }

  /// The keys that `settings` ask for; in development mode the key under `dataDir`, which is made
  /// when there is none.
  ///
  /// @throws KeysException when they can't be used
  public static Keys of(AuthSettings settings, Path dataDir, Clock clock) {
    if (settings.isDevelopmentMode()) {
      return sharedSecret(DevelopmentKey.loadOrCreate(dataDir));
    }
    Optional<String> jwks = settings.jwks();
    return jwks.isPresent()
        ? ofLocation(jwks.get(), settings, clock)
        : sharedSecret(settings.secret().orElseThrow());
  }

  private static Keys ofLocation(String location, AuthSettings settings, Clock clock) {
    try {
      String start = location.toLowerCase(Locale.ROOT);
      return start.startsWith("http:") || start.startsWith("https:")
          ? jwksUrl(
              new URI(location), settings.jwksRefresh(), settings.jwksRefreshCoolDown(), clock)
          : jwkSetFile(Path.of(location));
    } catch (URISyntaxException | InvalidPathException _) {
      throw new KeysException(JWKS + ": neither a URL nor the path of a file");
    }
  }

  /// Begins to read keys that can change anew whenever they are too old, so that a key which was
  /// withdrawn is gone, whoever asks.
  public void watch() {}

  /// Ends what {@link #watch} began.
  @Override
  public void close() {}

  /// The set that was read last, without waiting for another.
  abstract KeySet latest();

  /// The set to verify with, read anew first where it is too old.
  ///
  /// @throws TokenRefusedException when no set could be read yet
  abstract KeySet current();

  /// The set after a token asked for a key that {@link #current} lacks: read anew first, unless it
  /// was just now.
  abstract KeySet refreshed();
}
