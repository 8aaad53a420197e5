package dev.replistream.db;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Optional;

/// Databases in files, for tests.
final class SqliteFiles {
  private SqliteFiles() {}

  static Database open(Path file) {
    return open(file, DatabaseListener.NONE);
  }

  static Database open(Path file, DatabaseListener listener) {
    return Databases.open(settings("jdbc:sqlite:" + file), listener);
  }

  /// One whose callers wait no longer than `patience` to be served.
  static Database open(Path file, Duration patience) {
    return SqliteDatabase.open(
        "jdbc:sqlite:" + file, Migrations.of(Dialect.SQLITE), DatabaseListener.NONE, patience);
  }

  /// Starts a process of its own for `main` with `file` as its argument.
  static Process elsewhere(Class<?> main, Path file) throws IOException {
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-cp",
            System.getProperty("java.class.path"),
            main.getName(),
            file.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  static DbSettings settings(String url) {
    return new DbSettings(url, Optional.empty(), Optional.empty(), 10);
  }
}
