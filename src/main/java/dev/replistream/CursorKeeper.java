package dev.replistream;

import dev.replistream.data.DatabaseMark;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.StatementFailedException;
import dev.replistream.poke.Cursor;
import dev.replistream.poke.CursorFile;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import org.jspecify.annotations.Nullable;

/// Brings the cursor over a restart: the file that holds it counts only for the database as it was
/// when the file was written. Confined to the threads that start and stop the service.
///
/// At the stop, in this order: no change is under way any more, so each that is in the database has
/// poked; the cursor counts no further; the database is marked; the file is written. So the state
/// knows of all that the mark stands for, and whoever crashes in between leaves no file. At the
/// start the mark is taken out of the database first and the file second, so that a file can't be
/// used twice even where its end did not reach the disk.
final class CursorKeeper {
  private static final Logger LOGGER = System.getLogger(CursorKeeper.class.getName());

  private final CursorFile file;
  private final DatabaseMark mark;
  private @Nullable Cursor cursor;

  CursorKeeper(CursorFile file, DatabaseMark mark) {
    this.file = file;
    this.mark = mark;
  }

  /// The cursor from the last stop, or a new one.
  ///
  /// @throws DatabaseUnavailableException when the database does not answer; the file stays
  Cursor take(int generationSize) {
    Cursor taken = file.take(mark.take(), generationSize);
    cursor = taken;
    return taken;
  }

  /// Closes the cursor that was taken and keeps it for the next start, or warns why not. Does so
  /// once.
  ///
  /// @param isWhole whether each change that is in the database has poked, and none will begin
  void keep(boolean isWhole) {
    Cursor taken = cursor;
    if (taken == null) {
      return;
    }
    cursor = null;
    var state = taken.close();
    if (!isWhole) {
      warn("a push or a change of a room goes on");
      return;
    }
    try {
      file.write(state, mark.leave());
    } catch (DatabaseUnavailableException | StatementFailedException e) {
      warn(String.valueOf(e.getMessage()));
    }
  }

  private static void warn(String reason) {
    LOGGER.log(Level.WARNING, "event=cursor-lost reason=\"{0}\"", reason);
  }
}
