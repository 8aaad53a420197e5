package dev.replistream.cli;

/// What stops a command before it did its work: a wrong option or setting. Its message is one line
/// that says what to change, and never holds a credential. The command exits with code 2.
public final class CommandException extends RuntimeException {
  /// An exception with its one line.
  public CommandException(String message) {
    super(message, null, false, false);
  }
}
