package dev.replistream.rules.script;

import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class PostgresScriptServiceTest extends ScriptServiceRules {
  private static TestService service;

  @BeforeAll
  static void start() {
    service = onNewDatabase();
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
  TestService another() {
    return onNewDatabase();
  }

  private static TestService onNewDatabase() {
    return TestService.start(
        Stream.concat(
                Stream.of(SETTINGS),
                Stream.of("DB_URL", TestPostgres.newDatabase(), "DB_USER", "postgres"))
            .toArray(String[]::new));
  }
}
