package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.example.todo.TodoMutators;
import dev.replistream.rules.MutatorsException;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The service inside a Java application, as docs/mutators.md shows it.
class ApplicationBuilderTest {
  private static final String PUSH =
      """
      {"profileID":"p","clientGroupID":"g","pushVersion":1,"schemaVersion":"","mutations":[
      {"id":1,"clientID":"c","name":"createList","args":{"id":"l1","ownerID":"alice","name":"Groceries"},"timestamp":1}]}
      """;

  @Test
  void anApplicationStartsTheServiceWithItsMutatorsAndNotifiesAUser() {
    Settings settings = TestService.settings();
    try (Application service =
        Application.builder().settings(settings).mutators(new TodoMutators()).start()) {
      ServiceClient client =
          new ServiceClient(service.port(), service.adminPort(), settings, Clock.systemUTC());
      try (StreamClient bob = client.connected("bob")) {
        assertThat(service.pokes().notifyUser("bob")).isEqualTo(1);
        bob.expect("sync");
      }
      try (StreamClient alice = client.connected("alice")) {
        HttpReply push =
            client.send(HttpRequest.api("POST", "/push").by(client.token("alice")).with(PUSH));
        assertThat(push.status()).isEqualTo(200);
        alice.expect("sync");
      }
      HttpReply pull =
          client.send(
              HttpRequest.api("POST", "/pull")
                  .by(client.token("alice"))
                  .with(
                      "{\"profileID\":\"p\",\"clientGroupID\":\"g\",\"pullVersion\":1,"
                          + "\"schemaVersion\":\"\",\"cookie\":null}"));
      assertThat(pull.body()).contains("\"key\":\"list/l1\"", "Groceries");
    }
  }

  @Test
  void aServiceThatCantStartLeavesNothingOpen() throws IOException {
    try (LogCapture _ = new LogCapture()) {
      ApplicationBuilder builder;
      try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
        Settings settings = TestService.settings("PORT", Integer.toString(taken.getLocalPort()));
        builder = Application.builder().settings(settings);
        assertThatThrownBy(builder::start).isInstanceOf(SettingsException.class);
      }

      builder.start().close(); // nobody holds the database any more
    }
  }

  @Test
  void mutatorsThatCantBeUsedStopTheStart() {
    assertThatThrownBy(() ->
            Application.builder()
                .settings(TestService.settings())
                .mutators(() -> Map.of("", (_, _) -> {}))
                .start())
        .isInstanceOf(MutatorsException.class);
  }
}
