package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.LogCapture;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.WebSocketClient;
import org.junit.jupiter.api.Test;

/// A WebSocket is one of its user's connections, and says which kind. Alone in its class, as the
/// gauges are those of one service in a process.
class WebSocketCountTest {
  @Test
  void itIsCountedAsAWebSocketAmongTheConnections() {
    try (TestService service = TestService.start();
        LogCapture log = new LogCapture()) {
      ServiceClient client = service.client();
      double opened = metric(client, "opened_total");
      WebSocketClient socket = client.connectedWebSocket("alice");
      try (StreamClient _ = client.connected("alice")) {
        assertThat(client.connections("alice")).isEqualTo(2);
        assertThat(metric(client, "open")).isEqualTo(1);
        assertThat(metric(client, "opened_total")).isEqualTo(opened + 1);
        socket.close();
        Eventually.holds("gone", () -> client.connections("alice") == 1);
      }

      assertThat(metric(client, "open")).isZero();
      assertThat(metric(client, "opened_total")).isEqualTo(opened + 1);
      assertThat(log.lines("disconnected").getFirst())
          .contains("user=\"alice\" transport=websocket reason=client-closed");
    }
  }

  private static double metric(ServiceClient client, String name) {
    return client
        .metrics()
        .getOrDefault("replistream_connections_" + name + "{transport=\"websocket\"}", -1.0);
  }
}
