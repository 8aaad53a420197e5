package dev.replistream.sync;

import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class PostgresProtocolTest extends ProtocolRules {
  private static TestService service;
  private static String url;

  @BeforeAll
  static void start() {
    url = TestPostgres.newDatabase();
    service =
        TestService.start(
            new TestMutators(),
            Stream.concat(Stream.of("DB_URL", url, "DB_USER", "postgres"), Arrays.stream(SETTINGS))
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
