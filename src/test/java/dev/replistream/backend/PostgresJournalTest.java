package dev.replistream.backend;

import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;
import org.junit.jupiter.api.AfterAll;

class PostgresJournalTest extends JournalRules {
  private static final TestService SERVICE =
      TestService.start(
          BackendRules.RULES,
          "JOURNAL_RETENTION",
          "P1D",
          "DB_URL",
          TestPostgres.newDatabase(),
          "DB_USER",
          "postgres");

  PostgresJournalTest() {
    super(SERVICE);
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
  }
}
