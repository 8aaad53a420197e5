package dev.replistream.sync;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/// The model of storage on SQLite.
class SqliteStorageModelTest extends StorageModel {
  SqliteStorageModelTest(@TempDir Path directory) {
    super(TestDatabase.sqlite(directory));
  }
}
