package dev.replistream.rules.http;

import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;

class SqliteHttpRulesTest extends HttpRulesRules {
  private static final TestRules APPLICATION = new TestRules();
  private static final TestService SERVICE =
      TestService.start(JAVA, APPLICATION.settings(SETTINGS));

  SqliteHttpRulesTest() {
    super(APPLICATION, SERVICE);
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
    APPLICATION.close();
  }
}
