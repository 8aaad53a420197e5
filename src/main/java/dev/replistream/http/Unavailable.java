package dev.replistream.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;

/// What a caller is told while something is away that their request needs, and that has told the
/// log itself. Stateless.
public final class Unavailable {
  private static final String RETRY_AFTER_SECONDS = "1";

  private Unavailable() {}

  /// A 503 for the database, that says when to come again.
  public static ProblemException problem() {
    return problem("The database does not answer; come again.");
  }

  /// A 503 that says when to come again.
  public static ProblemException problem(String detail) {
    return Problem.of(Status.SERVICE_UNAVAILABLE_503, detail)
        .with(HeaderNames.RETRY_AFTER, RETRY_AFTER_SECONDS)
        .toException();
  }
}
