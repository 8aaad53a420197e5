package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import io.helidon.http.Method;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpServer;
import java.io.IOException;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// What becomes of a bug in a handler.
@ServerTest
class BugTest {
  private static final String SECRET = "the password is swordfish";

  private final int port;

  BugTest(WebServer server) {
    port = server.port();
  }

  @SetUpServer
  static void setUp(WebServerConfig.Builder server) {
    Cors cors = new Cors(List.of("*"), List.of(), Set.of());
    HttpRouting.Builder routing = HttpRouting.builder();
    new Routes()
        .on(Method.GET, "/unchecked", throwing(new IllegalStateException(SECRET)))
        .on(Method.GET, "/checked", throwing(new IOException(SECRET)))
        .on(Method.GET, "/error", throwing(new AssertionError(SECRET)))
        .on(Method.GET, "/at/{place}", throwing(new IllegalStateException(SECRET)))
        .register(routing, cors);
    server.routing(routing).directHandlers(Routes.directHandlers(cors));
  }

  private static Handler throwing(Throwable throwable) {
    return (_, _) -> {
      switch (throwable) {
        case Exception exception -> throw exception;
        case Error error -> throw error;
        default -> throw new AssertionError(throwable);
      }
    };
  }

  private HttpReply get(String path) {
    try (HttpConnection connection = new HttpConnection(port)) {
      return connection.send(HttpRequest.of("GET", path).toBytes()).reply();
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/unchecked", "/checked", "/error"})
  void theCallerLearnsOfABugButNotWhichOne(String path) {
    try (LogCapture log = new LogCapture()) {
      HttpReply reply = get(path);

      assertThat(Problems.detail(reply, 500)).doesNotContain("swordfish");
      assertThat(log.warnings()).containsExactly("event=error method=GET path=\"" + path + "\"");
    }
  }

  @Test
  void theLogNamesTheRequestInOneLineWhateverStandsInItsPath() {
    try (LogCapture log = new LogCapture()) {
      get("/at/x%0Aevent=start%20user=%22root%22%0D");

      assertThat(log.warnings())
          .containsExactly(
              "event=error method=GET path=\"/at/x\\nevent=start user=\\\"root\\\"\\r\"");
    }
  }
}
