package dev.replistream.backend;

import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;
import org.junit.jupiter.api.AfterAll;

class PostgresBackendTest extends BackendRules {
  private static final TestService SERVICE =
      TestService.start(RULES, "DB_URL", TestPostgres.newDatabase(), "DB_USER", "postgres");

  PostgresBackendTest() {
    super(SERVICE);
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
  }
}
