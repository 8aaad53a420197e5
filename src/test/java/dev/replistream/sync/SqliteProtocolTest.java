package dev.replistream.sync;

import dev.replistream.TestService;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;

class SqliteProtocolTest extends ProtocolRules {
  @TempDir private static Path directory;
  private static TestService service;
  private static String url;

  @BeforeAll
  static void start() {
    url = "jdbc:sqlite:" + directory.resolve("replistream.db");
    service =
        TestService.start(
            new TestMutators(),
            Stream.concat(Stream.of("DB_URL", url), Arrays.stream(SETTINGS))
                .toArray(String[]::new));
  }

  @AfterAll
  static void close() {
    service.close();
  }

  @Override
  TestService service() {
    return service;
  }

  @Override
  String databaseUrl() {
    return url;
  }
}
