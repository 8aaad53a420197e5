package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class SqliteDatabaseTest extends DatabaseContractTest {
  @TempDir private Path directory;

  @Override
  Database connect(DatabaseListener listener) {
    return SqliteFiles.open(directory.resolve("data/replistream.db"), listener);
  }

  @Override
  Dialect dialect() {
    return Dialect.SQLITE;
  }

  @Override
  void removeSchema99() {
    // the file goes with its test
  }

  @Test
  void worksRunOnPlatformThreads() throws Exception {
    inParallel(
        4,
        () -> {
          assertThat(database().<Boolean>inTransaction(_ -> Thread.currentThread().isVirtual()))
              .isFalse();
          assertThat(database().<Boolean>inSnapshot(_ -> Thread.currentThread().isVirtual()))
              .isFalse();
        });
  }
}
