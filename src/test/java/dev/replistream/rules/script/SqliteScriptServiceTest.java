package dev.replistream.rules.script;

import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class SqliteScriptServiceTest extends ScriptServiceRules {
  private static TestService service;

  @BeforeAll
  static void start() {
    service = TestService.start(SETTINGS);
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
    return TestService.start(SETTINGS);
  }
}
