package dev.replistream.backend;

import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;

class SqliteJournalTest extends JournalRules {
  private static final TestService SERVICE =
      TestService.start(BackendRules.RULES, "JOURNAL_RETENTION", "P1D");

  SqliteJournalTest() {
    super(SERVICE);
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
  }
}
