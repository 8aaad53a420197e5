package dev.replistream.db;

import java.lang.reflect.UndeclaredThrowableException;
import java.sql.SQLException;
import java.sql.SQLNonTransientConnectionException;
import java.sql.SQLTransientConnectionException;
import java.util.Set;
import org.jspecify.annotations.Nullable;
import org.sqlite.SQLiteException;

/// What the failure of a work means for its transaction. Only what a statement was given counts as
/// the work's own: whoever takes a failure for its own gives up what it wanted, so all that is not
/// known to be its fault can't be.
enum Failure {
  /// It lost against another transaction; nothing of it was kept, and doing it again helps.
  CONFLICT,
  /// The database can't do it now. The connection is not to be used again.
  UNAVAILABLE,
  /// The database is not as it has to be, for all works alike: a privilege or a table is missing, a
  /// statement is not known. It can't do it until an operator has put it right.
  UNFIT,
  /// The work's own: a value that was refused, or an exception that says nothing of the database.
  OWN;

  /// Causes that are looked at; a chain of causes may be a circle.
  static final int MAX_DEPTH = 32;

  /// Primary result codes of SQLite (sqlite.org/rescode.html): PERM, BUSY, LOCKED, NOMEM, READONLY,
  /// INTERRUPT, IOERR, CORRUPT, FULL, CANTOPEN, PROTOCOL, NOLFS, AUTH, NOTADB. Some of them roll
  /// the transaction back on their own (sqlite.org/lang_transaction.html, section 3.1).
  private static final Set<Integer> UNAVAILABLE_CODES =
      Set.of(3, 5, 6, 7, 8, 9, 10, 11, 13, 14, 15, 22, 23, 26);

  /// TOOBIG, CONSTRAINT, MISMATCH, RANGE.
  private static final Set<Integer> OWN_CODES = Set.of(18, 19, 20, 25);

  /// serialization_failure and deadlock_detected (PostgreSQL, appendix A).
  private static final Set<String> CONFLICT_STATES = Set.of("40001", "40P01");

  /// Connection, resources, the operator's intervention, system error; lock_not_available,
  /// query_canceled (it took too long), and the states of a server that became read-only, ended a
  /// transaction for its length, or found its files damaged.
  private static final Set<String> UNAVAILABLE_STATES =
      Set.of(
          "08", "53", "57P", "58", "55P03", "57014", "25006", "25P03", "25P04", "XX001", "XX002");

  /// Data exception, integrity constraint violation, program limit exceeded.
  private static final Set<String> OWN_STATES = Set.of("22", "23", "54");

  /// Whether it is the database that failed, and not the work nor another one that it met.
  boolean isOfDatabase() {
    return this == UNAVAILABLE || this == UNFIT;
  }

  /// What `thrown` or the first telling one of its causes means; one that is only not known tells
  /// less than any other.
  static Failure of(Throwable thrown) {
    Failure known = OWN;
    Throwable each = thrown;
    for (int depth = 0; each != null && depth < MAX_DEPTH; depth++) {
      Failure failure = ofOne(each);
      if (failure == CONFLICT || failure == UNAVAILABLE) {
        return failure;
      }
      known = failure == UNFIT ? UNFIT : known;
      each = each.getCause();
    }
    return known;
  }

  /// What the caller of a transaction is thrown when `thrown` ended it.
  static RuntimeException forCaller(Throwable thrown) {
    if (of(thrown) != OWN) {
      return unavailable(thrown);
    }
    return switch (thrown) {
      case RuntimeException own -> own;
      case SQLException refused -> new StatementFailedException(refused);
      case Error error -> throw error;
      default -> new UndeclaredThrowableException(thrown);
    };
  }

  /// What the caller is thrown when the database failed by `cause`.
  static DatabaseUnavailableException unavailable(Throwable cause) {
    return new DatabaseUnavailableException(
        "the database can't do it now", cause, cause instanceof CommitException);
  }

  private static Failure ofOne(Throwable thrown) {
    return switch (thrown) {
      case DatabaseUnavailableException _,
          SQLTransientConnectionException _,
          SQLNonTransientConnectionException _ ->
          UNAVAILABLE;
      case CommitException _ -> OWN; // its cause tells
      case SQLiteException e -> ofCode(e.getErrorCode());
      case SQLException e -> ofState(e.getSQLState());
      default -> OWN;
    };
  }

  private static Failure ofCode(int code) {
    return UNAVAILABLE_CODES.contains(code) ? UNAVAILABLE : OWN_CODES.contains(code) ? OWN : UNFIT;
  }

  private static Failure ofState(@Nullable String state) {
    if (state == null) {
      return UNFIT;
    }
    if (CONFLICT_STATES.contains(state)) {
      return CONFLICT;
    }
    if (UNAVAILABLE_STATES.stream().anyMatch(state::startsWith)) {
      return UNAVAILABLE;
    }
    return OWN_STATES.stream().anyMatch(state::startsWith) ? OWN : UNFIT;
  }
}
