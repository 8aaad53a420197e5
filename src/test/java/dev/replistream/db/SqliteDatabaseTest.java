package dev.replistream.db;

import java.nio.file.Path;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;

class SqliteDatabaseTest extends DatabaseContractTest {
  @TempDir private Path directory;

  @Override
  Database connect(DatabaseListener listener) {
    return Databases.open(
        new DbSettings(
            "jdbc:sqlite:" + directory.resolve("data/replistream.db"),
            Optional.empty(),
            Optional.empty(),
            10),
        listener);
  }

  @Override
  Dialect dialect() {
    return Dialect.SQLITE;
  }

  @Override
  void removeSchema99() {
    // the file goes with its test
  }
}
