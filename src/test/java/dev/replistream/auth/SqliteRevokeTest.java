package dev.replistream.auth;

import dev.replistream.Application;
import dev.replistream.ServiceClient;
import dev.replistream.SettableClock;
import dev.replistream.Settings;
import dev.replistream.TestService;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import org.junit.jupiter.api.AfterAll;

@ServerTest
class SqliteRevokeTest extends RevokeRules {
  private static final SettableClock CLOCK = new SettableClock();
  private static final Path DIRECTORY = TestService.directory();
  private static final String URL = "jdbc:sqlite:" + DIRECTORY.resolve("replistream.db");
  private static final Settings SETTINGS = TestService.settings("DB_URL", URL);
  private static final Application APPLICATION = new Application(SETTINGS, CLOCK);

  SqliteRevokeTest(WebServer server) {
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
    // a second process could not open the file: SQLite's copy is what a restart would find
    Path copy = DIRECTORY.resolve("copy-" + System.nanoTime() + ".db");
    try (Connection connection = DriverManager.getConnection(URL);
        Statement statement = connection.createStatement()) {
      statement.execute("VACUUM INTO '" + copy + "'");
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
    return TestService.start(CLOCK, "DB_URL", "jdbc:sqlite:" + copy);
  }
}
