package dev.replistream.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;

/// What a caller is told while the database is away; the database itself has told the log.
/// Stateless.
public final class Unavailable {
  private static final String RETRY_AFTER_SECONDS = "1";

  private Unavailable() {}

  /// A 503 that says when to come again.
  public static ProblemException problem() {
    return Problem.of(Status.SERVICE_UNAVAILABLE_503, "The database does not answer; come again.")
        .with(HeaderNames.RETRY_AFTER, RETRY_AFTER_SECONDS)
        .toException();
  }
}
