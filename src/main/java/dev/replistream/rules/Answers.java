package dev.replistream.rules;

import java.util.List;

/// What rules elsewhere have decided about the first mutations of a {@link Question}, or about all
/// of them. Immutable, but for what it takes of the memory for such answers until it is closed.
///
/// @param answers in the order of the mutations; at least one, and no more than were asked about
/// @param release gives its memory back
public record Answers(List<Answer> answers, Runnable release) implements AutoCloseable {
  /// Copies the answers.
  public Answers {
    answers = List.copyOf(answers);
  }

  @Override
  public void close() {
    release.run();
  }
}
