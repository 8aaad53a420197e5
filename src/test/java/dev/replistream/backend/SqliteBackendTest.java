package dev.replistream.backend;

import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;

class SqliteBackendTest extends BackendRules {
  private static final TestService SERVICE = TestService.start(RULES);

  SqliteBackendTest() {
    super(SERVICE);
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
  }
}
