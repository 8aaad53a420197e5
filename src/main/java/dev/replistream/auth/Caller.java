package dev.replistream.auth;

import dev.replistream.api.Id;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import io.helidon.http.Status;
import java.time.Instant;
import java.util.Optional;
import java.util.Set;

/// Who is calling, as a verified credential says. Immutable.
///
/// @param userId the `sub` of the token: 1 to 128 characters without control characters
/// @param scopes the token's `scope`, split at its spaces (RFC 8693, section 4.2)
/// @param expiresAt the token's `exp`: nothing that the caller opened may outlive it
/// @param credential how the caller showed who it is
/// @param sid the token's `sid`: the issuer's name for one sign-in, by which it can be revoked
/// @param issuedAt the token's `iat`; `Instant.MIN` where it has none, so that it is older than any
///   revocation
public record Caller(
    String userId,
    Set<String> scopes,
    Instant expiresAt,
    Credential credential,
    Optional<String> sid,
    Instant issuedAt) {

  /// The scope that lets a backend service poke other users.
  public static final String POKE_SCOPE = "replicache:poke";

  /// The scope that lets a backend service revoke tokens.
  public static final String REVOKE_SCOPE = "replicache:revoke";

  /// The scope that lets a backend service read the entries of all rooms and users.
  public static final String READ_SCOPE = "replicache:read";

  /// The scope that lets a backend service read and write the entries of all rooms and users, run
  /// rules as any user, and change any room, and rooms' members without their consent.
  public static final String WRITE_SCOPE = "replicache:write";

  /// How a caller showed who it is, which decides how it can be refused.
  public enum Credential {
    /// An `Authorization` header: the caller reads statuses and headers.
    HEADER,
    /// A ticket in the URL: a native EventSource, which any status but 200 stops for good.
    TICKET,
    /// A cookie: any page of the browser, perhaps by a native EventSource.
    COOKIE,
  }

  /// Copies the scopes.
  ///
  /// @throws IllegalArgumentException when the user id is not one
  public Caller {
    if (!Id.isValid(userId)) {
      throw new IllegalArgumentException("not a user id");
    }
    scopes = Set.copyOf(scopes);
  }

  /// A caller whose token has neither `sid` nor `iat`.
  public Caller(String userId, Set<String> scopes, Instant expiresAt, Credential credential) {
    this(userId, scopes, expiresAt, credential, Optional.empty(), Instant.MIN);
  }

  /// Whether the token carries `scope`.
  public boolean has(String scope) {
    return scopes.contains(scope);
  }

  /// What somebody is told whose token has not the scope that something needs.
  ///
  /// @param what they would do, at the beginning of a sentence
  public static ProblemException needsScope(String what, String scope) {
    return Problem.of(
            Status.FORBIDDEN_403, "%s needs a token with the scope %s.".formatted(what, scope))
        .toException();
  }

  /// The same caller by another credential.
  public Caller by(Credential other) {
    return new Caller(userId, scopes, expiresAt, other, sid, issuedAt);
  }
}
