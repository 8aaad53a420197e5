package dev.replistream.auth;

import dev.replistream.api.Id;
import java.time.Instant;

/// That tokens are refused from now on: those with one `sid`, or those of one user that were issued
/// up to a time. Immutable.
///
/// @param kind what the subject is
/// @param subject a `sid` or a user id: 1 to 128 characters without control characters
/// @param revokedAt when, in milliseconds; of a user's tokens those with an `iat` up to this second
///   are refused, and those without
/// @param expiresAt when no such token can be good any more, so that this may be forgotten
public record Revocation(Kind kind, String subject, Instant revokedAt, Instant expiresAt) {
  /// What is revoked.
  public enum Kind {
    /// The tokens with one `sid`, of whichever user.
    SID,
    /// The tokens of one user.
    USER
  }

  /// Checks the subject.
  ///
  /// @throws IllegalArgumentException when it is none
  public Revocation {
    if (!Id.isValid(subject)) {
      throw new IllegalArgumentException("neither a sid nor a user id");
    }
  }

  /// Whether the token that showed who `caller` is is one of those.
  public boolean covers(Caller caller) {
    return switch (kind) {
      case SID -> caller.sid().filter(subject::equals).isPresent();
      case USER ->
          caller.userId().equals(subject)
              && caller.issuedAt().getEpochSecond() <= revokedAt.getEpochSecond();
    };
  }

  /// One line, for other nodes.
  String toText() {
    return "%s %s %s %s"
        .formatted(kind, revokedAt.toEpochMilli(), expiresAt.toEpochMilli(), subject);
  }

  /// Reads what {@link #toText} wrote.
  ///
  /// @throws IllegalArgumentException when it is something else
  static Revocation parse(String text) {
    String[] parts = text.split(" ", 4);
    if (parts.length < 4) {
      throw new IllegalArgumentException("no revocation");
    }
    return new Revocation(
        Kind.valueOf(parts[0]),
        parts[3],
        Instant.ofEpochMilli(Long.parseLong(parts[1])),
        Instant.ofEpochMilli(Long.parseLong(parts[2])));
  }
}
