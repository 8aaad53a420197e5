package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.api.RejectionCode;
import dev.replistream.rules.MutatorRegistry;
import java.util.Optional;

/// One mutation of a push. Its timestamp is left out: it is the client's clock since its start.
/// Immutable.
///
/// The arguments stay text until they are asked for: the mutations of a push are many, most were
/// often applied before, and text takes a tenth of the memory.
///
/// @param id the client's number for it, from 1 on without a gap, at most 2^53 - 1
/// @param clientID the client that made it, which may be another tab than the one that pushes
/// @param name which mutator to run; at most 128 characters
/// @param argsText what the mutator was called with, as JSON
/// @param fault why it can never be applied, where that was seen when it was read
record Mutation(long id, String clientID, String name, String argsText, Optional<Fault> fault) {
  /// Why a mutation can never be applied, whatever the mutator would do.
  enum Fault {
    /// It does not fit in a body.
    TOO_LARGE(RejectionCode.ARGUMENTS_TOO_LARGE, "it is larger than the limit of a body"),
    /// Its name is longer than that of any mutator.
    NAME_TOO_LONG(RejectionCode.UNKNOWN_MUTATOR, "its name is too long"),
    /// Its arguments are longer than they may be.
    ARGUMENTS_TOO_LONG(RejectionCode.ARGUMENTS_TOO_LARGE, "its arguments are too long"),
    /// Its arguments nest deeper than they may.
    ARGUMENTS_TOO_DEEP(RejectionCode.BAD_ARGUMENTS, "its arguments nest too deep");

    private final RejectionCode code;
    private final String message;

    Fault(RejectionCode code, String message) {
      this.code = code;
      this.message = message;
    }

    /// What names it for programs.
    RejectionCode code() {
      return code;
    }

    /// What it is.
    String message() {
      return message;
    }
  }

  /// One in which no fault was seen.
  Mutation(long id, String clientID, String name, String argsText) {
    this(id, clientID, name, argsText, Optional.empty());
  }

  /// One that can never be applied, but can be acknowledged. Its name is cut, as it may be very
  /// long.
  static Mutation faulty(long id, String clientID, String name, Fault fault) {
    String shown = name.substring(0, Math.min(name.length(), MutatorRegistry.MAX_NAME_LENGTH));
    return new Mutation(id, clientID, shown, "null", Optional.of(fault));
  }

  /// What the mutator was called with; JSON null where that was nothing.
  JsonValue args() {
    return JsonValue.parse(argsText);
  }
}
