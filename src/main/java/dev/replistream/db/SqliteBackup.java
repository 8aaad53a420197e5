package dev.replistream.db;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.SQLException;

/// Copies a file of SQLite, while a service runs on it or while none does. Stateless.
public final class SqliteBackup {
  private SqliteBackup() {}

  /// Writes what was committed when this began to a new file, which is whole once this returns.
  ///
  /// @param target must not be there yet
  /// @return how many bytes it has
  /// @throws DatabaseStartException when that can't be done
  public static long write(DbSettings settings, Path target) {
    if (settings.isPostgres()) {
      throw new DatabaseStartException(
              "it is a PostgreSQL: back it up with pg_dump, or as your provider does")
          .under(settings.urlKey());
    }
    try {
      SqliteFile.requirePresent(settings.url());
    } catch (DatabaseStartException e) {
      throw e.under(settings.urlKey());
    }
    if (Files.exists(target)) {
      throw new DatabaseStartException("there is a file %s already".formatted(target));
    }
    Path folder = target.toAbsolutePath().getParent();
    if (folder == null || !Files.isDirectory(folder)) {
      throw new DatabaseStartException("there is no folder for %s".formatted(target));
    }
    Path part = target.resolveSibling(target.getFileName() + ".part");
    try {
      Files.deleteIfExists(part);
      copy(settings.url(), part);
      Files.move(part, target);
      return Files.size(target);
    } catch (SQLException | IOException e) {
      throw new DatabaseStartException("can't write %s (%s)".formatted(target, e.getMessage()));
    }
  }

  private static void copy(String url, Path part) throws SQLException, IOException {
    SqliteFile.loadLibrary(url);
    try (Connection connection = DriverManager.getConnection(url);
        PreparedStatement vacuum = connection.prepareStatement("VACUUM INTO ?")) {
      vacuum.setString(1, part.toString());
      vacuum.execute();
    }
  }
}
