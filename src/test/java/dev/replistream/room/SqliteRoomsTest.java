package dev.replistream.room;

import dev.replistream.Application;
import dev.replistream.ServiceClient;
import dev.replistream.Settings;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import org.junit.jupiter.api.AfterAll;

@ServerTest
class SqliteRoomsTest extends RoomRules {
  private static final Settings SETTINGS = settings();
  private static final Application APPLICATION = new Application(SETTINGS, NOON);

  SqliteRoomsTest(WebServer server) {
    super(new ServiceClient(server.port(), server.port(Application.ADMIN), SETTINGS, NOON));
  }

  @SetUpServer
  static void setUp(WebServerConfig.Builder server) {
    APPLICATION.configure(server);
  }

  @AfterAll
  static void close() {
    APPLICATION.close();
  }
}
