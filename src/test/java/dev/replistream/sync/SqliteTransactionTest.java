package dev.replistream.sync;

import dev.replistream.db.Database;
import java.nio.file.Path;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

class SqliteTransactionTest extends SqlTransactionTest {
  @TempDir private Path directory;
  private Database database;

  @BeforeEach
  void open() {
    database = TestDatabase.sqlite(directory);
  }

  @AfterEach
  void close() {
    database.close();
  }

  @Override
  Database database() {
    return database;
  }
}
