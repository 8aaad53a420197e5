package dev.replistream.rejection;

import dev.replistream.SettableClock;
import dev.replistream.TestService;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;

class SqliteRejectionsTest extends RejectionRules {
  private static final SettableClock CLOCK = new SettableClock();
  private static TestService service;

  @BeforeAll
  static void start() {
    service = TestService.start(CLOCK, RULES, "SYNC_MAX_VALUE", "1000", "SYNC_MAX_ARGS", "40000");
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
  SettableClock clock() {
    return CLOCK;
  }
}
