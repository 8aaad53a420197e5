package dev.replistream.sync;

import dev.replistream.db.Database;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import org.junit.jupiter.api.io.TempDir;

/// The model of restores on SQLite: copies of the file, and a service that starts anew.
class RestoreModelTest extends RestoreModel {
  private final Path directory;

  RestoreModelTest(@TempDir Path directory) {
    super(TestDatabase.sqlite(directory));
    this.directory = directory;
  }

  @Override
  Database save(Database present, String name) {
    return copied(present, directory.resolve("test.db"), directory.resolve(name));
  }

  @Override
  Database restore(Database present, String name) {
    return copied(present, directory.resolve(name), directory.resolve("test.db"));
  }

  private Database copied(Database present, Path from, Path to) {
    present.close();
    try {
      Files.copy(from, to, StandardCopyOption.REPLACE_EXISTING);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return TestDatabase.sqlite(directory);
  }
}
