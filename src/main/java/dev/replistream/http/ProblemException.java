package dev.replistream.http;

/// Thrown where a request can't be served for a reason that the caller can fix; {@link Routes}
/// answers it with its {@link Problem}. It has no stack trace: it is an answer, not a bug.
public final class ProblemException extends RuntimeException {
  private final transient Problem problem;

  /// An exception that stands for `problem`.
  public ProblemException(Problem problem) {
    super(problem.detail(), null, false, false);
    this.problem = problem;
  }

  /// What the caller is told.
  public Problem problem() {
    return problem;
  }
}
