package dev.replistream.auth;

import dev.replistream.Application;
import dev.replistream.ServiceClient;
import dev.replistream.SettableClock;
import dev.replistream.Settings;
import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import org.junit.jupiter.api.AfterAll;

@ServerTest
class PostgresRevokeTest extends RevokeRules {
  private static final SettableClock CLOCK = new SettableClock();
  private static final String URL = TestPostgres.newDatabase();
  private static final Settings SETTINGS =
      TestService.settings("DB_URL", URL, "DB_USER", "postgres");
  private static final Application APPLICATION = new Application(SETTINGS, CLOCK);

  PostgresRevokeTest(WebServer server) {
    super(
        CLOCK,
        APPLICATION,
        new ServiceClient(server.port(), server.port(Application.ADMIN), SETTINGS, CLOCK));
  }

  @SetUpServer
  static void setUp(WebServerConfig.Builder server) {
    APPLICATION.configure(server);
  }

  @AfterAll
  static void close() {
    APPLICATION.close();
  }

  @Override
  TestService startAgain() {
    return TestService.start(CLOCK, "DB_URL", URL, "DB_USER", "postgres");
  }
}
