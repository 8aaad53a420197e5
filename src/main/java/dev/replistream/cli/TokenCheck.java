package dev.replistream.cli;

import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;

/// What can be said of a token before any service sees it. The token itself is never shown.
/// Confined to the thread that runs the command.
final class TokenCheck {
  /// How far the clocks of the issuer and the service may differ: the default of
  /// `replistream.auth.clock-skew`.
  static final Duration TOLERANCE = Duration.ofSeconds(30);

  private static final String SUBJECT = "token";
  private static final Duration SHORT_LIFE = Duration.ofMinutes(1);

  private final Report report;
  private final Instant now;

  TokenCheck(Report report, Instant now) {
    this.report = report;
    this.now = now;
  }

  void run(String token) {
    Optional<TokenClaims> read = TokenClaims.read(token);
    if (read.isEmpty()) {
      report.fail(
          SUBJECT,
          "not a signed JWT: that is three parts in base64url, joined by dots",
          "Copy it whole, without quotes and without the word Bearer.");
      return;
    }
    TokenClaims claims = read.get();
    boolean named = namesUser(claims);
    boolean begun = hasBegun(claims);
    boolean lasting = lasts(claims);
    if (named && begun && lasting) {
      Instant end = claims.time("exp").orElseThrow();
      report.ok(
          SUBJECT,
          "of user %s, good for %s"
              .formatted(
                  claims.subject().orElseThrow(), Report.spoken(Duration.between(now, end))));
    }
  }

  private boolean namesUser(TokenClaims claims) {
    if (claims.subject().filter(sub -> !sub.isEmpty()).isPresent()) {
      return true;
    }
    report.fail(SUBJECT, "its sub names no user", "Let its issuer put the user's id in sub.");
    return false;
  }

  private boolean hasBegun(TokenClaims claims) {
    boolean good = true;
    for (String name : List.of("nbf", "iat")) {
      if (claims.has(name) && isNumericDate(claims, name)) {
        Duration ahead = Duration.between(now, claims.time(name).orElseThrow());
        if (ahead.compareTo(TOLERANCE) > 0) {
          report.fail(
              SUBJECT,
              "not valid yet: its %s lies %s in the future".formatted(name, Report.spoken(ahead)),
              "Set the clock of its issuer, or of this machine.");
          good = false;
        }
      } else if (claims.has(name)) {
        good = false;
      }
    }
    return good;
  }

  private boolean lasts(TokenClaims claims) {
    if (!claims.has("exp")) {
      report.fail(SUBJECT, "it has no exp and never expires", "Let its issuer give it an exp.");
      return false;
    }
    if (!isNumericDate(claims, "exp")) {
      return false;
    }
    Duration left = Duration.between(now, claims.time("exp").orElseThrow());
    if (left.plus(TOLERANCE).compareTo(Duration.ZERO) <= 0) {
      report.fail(
          SUBJECT, "expired %s ago".formatted(Report.spoken(left.negated())), "Get a new one.");
      return false;
    }
    if (left.compareTo(SHORT_LIFE) < 0) {
      report.warn(
          SUBJECT,
          left.isNegative()
              ? "expired %s ago, within the tolerance".formatted(Report.spoken(left.negated()))
              : "expires in " + Report.spoken(left),
          "A stream ends with its token: let tokens live for some minutes at least.");
      return false;
    }
    return true;
  }

  private boolean isNumericDate(TokenClaims claims, String name) {
    if (claims.time(name).isPresent()) {
      return true;
    }
    report.fail(
        SUBJECT,
        "its %s is not a number of seconds since 1970".formatted(name),
        "Let its issuer write seconds, not milliseconds and not text.");
    return false;
  }
}
