package dev.replistream.sync;

import java.nio.file.Path;
import org.junit.jupiter.api.io.TempDir;

/// The model of pulls on SQLite.
class PullModelTest extends PullModel {
  PullModelTest(@TempDir Path directory) {
    super(TestDatabase.sqlite(directory));
  }
}
