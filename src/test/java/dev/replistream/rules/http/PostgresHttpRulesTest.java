package dev.replistream.rules.http;

import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;

class PostgresHttpRulesTest extends HttpRulesRules {
  private static final TestRules APPLICATION = new TestRules();
  private static final TestService SERVICE =
      TestService.start(
          JAVA,
          APPLICATION.settings(
              Stream.concat(
                      Stream.of(SETTINGS),
                      Stream.of("DB_URL", TestPostgres.newDatabase(), "DB_USER", "postgres"))
                  .toArray(String[]::new)));

  PostgresHttpRulesTest() {
    super(APPLICATION, SERVICE);
  }

  @AfterAll
  static void stop() {
    SERVICE.close();
    APPLICATION.close();
  }
}
