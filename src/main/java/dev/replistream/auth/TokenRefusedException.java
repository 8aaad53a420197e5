package dev.replistream.auth;

import dev.replistream.http.Problem;
import dev.replistream.http.RateLimit;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import java.time.Duration;
import java.util.Locale;

/// A credential that does not say who is calling. It has no stack trace and never holds any part of
/// the credential: it is an answer, not a bug. Immutable.
final class TokenRefusedException extends RuntimeException {
  private static final String CHALLENGE = "Bearer";

  /// Why a credential is refused.
  enum Reason {
    /// There is none.
    MISSING(
        "This route needs a caller: send the header Authorization: Bearer <token>, or open a stream"
            + " with a ticket."),
    /// It is longer than any token should be.
    TOO_LONG("The token is longer than 8 KiB: leave out claims that this server has no use for."),
    /// It is not a JWS in compact serialization (RFC 7515, section 7.1) with a JWT in it.
    MALFORMED(
        "This is not a signed JWT: three parts in base64url without padding, joined by dots, the"
            + " first two of them JSON objects that name no member twice."),
    /// It is a JWE (RFC 7516).
    ENCRYPTED("The token is encrypted: send a signed one, which has three parts."),
    /// Its header asks for an extension (RFC 7515, section 4.1.11).
    CRITICAL("The header of the token has crit: leave it out, this server has no extensions."),
    /// Its `alg` is none that a key here is for.
    ALGORITHM(
        "The alg of the token is not the one its key is for: use that, out of HS256, HS384, HS512,"
            + " RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA and Ed25519."),
    /// Its `kid` names no key.
    UNKNOWN_KEY(
        "The kid of the token names no key that this server has and can use: sign with a current"
            + " key; the server's log says which it can't use."),
    /// It has no `kid`, and more than one key could be meant.
    AMBIGUOUS_KEY("Several keys fit the alg of the token: name one with kid in its header."),
    /// Its signature is another key's, or the token was changed.
    SIGNATURE("The signature of the token does not verify with the key it names."),
    /// Its `exp` has passed.
    EXPIRED("The token has expired: get a new one."),
    /// Its `nbf` or `iat` lies in the future.
    NOT_YET_VALID("The nbf or iat of the token lies in the future: compare the clocks."),
    /// It has no `exp`.
    NO_EXPIRY("The token never expires: give it an exp."),
    /// Its `exp`, `nbf` or `iat` is no NumericDate (RFC 7519, section 2).
    NUMERIC_DATE(
        "The exp, nbf and iat of a token are numbers of seconds since 1970, not milliseconds and"
            + " not text."),
    /// Its `iss` is another.
    ISSUER("The iss of the token is not the issuer that replistream.auth.issuer names."),
    /// Its `aud` is another.
    AUDIENCE("The aud of the token does not hold what replistream.auth.audience names."),
    /// It has an `aud`, and this server does not know whether that means it.
    AUDIENCE_NOT_CONFIGURED(
        "The token has an aud and this server has no name to look for in it: set"
            + " replistream.auth.audience to what the aud holds, or issue tokens without one."),
    /// Its `sub` is missing or can't be a user id.
    SUBJECT(
        "The sub of the token must be 1 to 128 characters without control characters, not . or .. alone."),
    /// Its `scope` is no list of scopes.
    SCOPE("The scope of the token must be one string of scopes with spaces, or an array of them."),
    /// Its `sid` can't be named in a revocation.
    SID("The sid of the token must be 1 to 128 characters without control characters."),
    /// Its `exp` is so late that a revocation would lapse before it.
    LIVES_TOO_LONG(
        "The token lives longer than replistream.auth.revocation-life allows: give it an earlier"
            + " exp."),
    /// It was revoked, by its `sid` or with all tokens of its user.
    REVOKED("The token was revoked: sign in again."),
    /// The ticket was never given out, is used up, or is too old.
    TICKET("The ticket is used, expired or unknown: get a new one for each stream that you open."),
    /// There is a cookie, and the page that sent it is not an allowed one.
    COOKIE_ORIGIN(
        "The cookie replistream_token counts only from a page of this origin, or of one that"
            + " replistream.cors.allow-origins names (* names none): send an Authorization header"
            + " instead."),
    /// There is more than one cookie.
    COOKIES(
        "The cookie replistream_token came more than once: set it for one domain and path only."),
    /// A token stands in the URL, where proxies log it.
    IN_URL(
        "Never put a token in a URL, which is logged on its way: get a ticket from POST"
            + " /api/v1/replicache/ticket and open the stream with ?ticket= instead. Consider this"
            + " token exposed."),
    /// Too many tokens from the same address did not verify, so this one is not looked at.
    TOO_MANY(
        "Too many tokens from this address have a signature that does not verify: try again later."),
    /// No key could be read yet, so the token may be good.
    KEYS_UNAVAILABLE("The keys that verify tokens can't be read at the moment: try again.");

    private final String sentence;

    Reason(String sentence) {
      this.sentence = sentence;
    }

    /// What the caller can change; ASCII without quotes, so it fits a header.
    String sentence() {
      return sentence;
    }

    /// The reason as a label of a metric or a value in the log, such as `no-expiry`.
    String label() {
      return name().toLowerCase(Locale.ROOT).replace('_', '-');
    }
  }

  private final Reason reason;
  private final transient Problem problem;

  /// A refusal that the caller can do something about.
  TokenRefusedException(Reason reason) {
    this(reason, problem(reason));
  }

  private TokenRefusedException(Reason reason, Problem problem) {
    super(reason.sentence(), null, false, false);
    this.reason = reason;
    this.problem = problem;
  }

  /// A refusal that is this server's fault: the caller may try again after `retryAfter`.
  static TokenRefusedException keysUnavailable(Duration retryAfter) {
    long seconds = Math.max(1, retryAfter.plusMillis(999).toSeconds());
    return new TokenRefusedException(
        Reason.KEYS_UNAVAILABLE,
        Problem.of(Status.SERVICE_UNAVAILABLE_503, Reason.KEYS_UNAVAILABLE.sentence())
            .with(HeaderNames.RETRY_AFTER, Long.toString(seconds)));
  }

  /// A refusal to look at one token more: the caller may try again after `waitNanos`.
  static TokenRefusedException tooMany(long waitNanos) {
    return new TokenRefusedException(
        Reason.TOO_MANY, RateLimit.problem(Reason.TOO_MANY.sentence(), waitNanos));
  }

  /// Why the credential is refused.
  Reason reason() {
    return reason;
  }

  /// The answer: 401 with the challenge of RFC 6750, section 3; 403 for a cookie from a page that
  /// may not use it; 429 or 503 with `Retry-After`.
  Problem problem() {
    return problem;
  }

  private static Problem problem(Reason reason) {
    return reason == Reason.COOKIE_ORIGIN
        ? Problem.of(Status.FORBIDDEN_403, reason.sentence()) // another token would not help
        : Problem.of(Status.UNAUTHORIZED_401, reason.sentence())
            .with(HeaderNames.WWW_AUTHENTICATE, challenge(reason));
  }

  private static String challenge(Reason reason) {
    return switch (reason) {
      case MISSING -> CHALLENGE; // RFC 6750, section 3.1: no error code where no credential came
      case IN_URL -> challenge("invalid_request", reason);
      default -> challenge("invalid_token", reason);
    };
  }

  private static String challenge(String error, Reason reason) {
    return CHALLENGE
        + " error=\"%s\", error_description=\"%s\"".formatted(error, reason.sentence());
  }
}
