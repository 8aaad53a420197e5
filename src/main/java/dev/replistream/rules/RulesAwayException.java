package dev.replistream.rules;

/// Rules elsewhere have given no answer that can be used, and have told the log why. Nothing was
/// done to the mutation, which is to come again. The message is for the caller.
public final class RulesAwayException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param message for the caller, in one sentence
  public RulesAwayException(String message) {
    super(message, null, false, false);
  }
}
