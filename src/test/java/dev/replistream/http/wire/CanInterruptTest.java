package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.task.InterruptableTask;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1Connection;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.util.Set;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.Exchanger;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/// What `canInterrupt` of Helidon's own parser says: {@link Wire} takes what comes for the
/// beginning of a request, and may answer it without the parser, only where it says yes; and {@link
/// WireReader} looks for a request line there and nowhere else. If another version of Helidon says
/// it elsewhere, the middle of a request would be taken for a beginning.
class CanInterruptTest {
  private final BlockingQueue<Http1Connection> parsers = new ArrayBlockingQueue<>(1);
  private final Exchanger<String> inHandler = new Exchanger<>();
  private WebServer server;

  /// Speaks HTTP/1.1 as Helidon does, and shows its parsers.
  private final class Selector implements ServerConnectionSelector {
    private final Http1ConnectionSelector http1 =
        Http1ConnectionSelector.builder().config(Http1Config.create()).build();

    @Override
    public int bytesToIdentifyConnection() {
      return 0;
    }

    @Override
    public Support supports(BufferData data) {
      return Support.SUPPORTED;
    }

    @Override
    public Set<String> supportedApplicationProtocols() {
      return http1.supportedApplicationProtocols();
    }

    @Override
    public ServerConnection connection(ConnectionContext context) {
      ServerConnection parser = http1.connection(context);
      parsers.add((Http1Connection) parser);
      return parser;
    }
  }

  @BeforeEach
  void start() {
    server =
        WebServer.builder()
            .host("127.0.0.1")
            .shutdownHook(false)
            .protocolsDiscoverServices(false)
            .addConnectionSelector(new Selector())
            .routing(routing -> routing.post("/", this::handle))
            .build()
            .start();
  }

  @AfterEach
  void stop() {
    server.stop();
  }

  /// Waits to be let on, reads the body, waits again and answers.
  private void handle(ServerRequest request, ServerResponse response) throws Exception {
    meet();
    request.content().as(byte[].class);
    meet();
    response.send("done");
  }

  private void meet() throws Exception {
    inHandler.exchange("", 20, TimeUnit.SECONDS);
  }

  private void expectToBecome(InterruptableTask<Void> parser, boolean canInterrupt, String when) {
    Eventually.holds(when, () -> parser.canInterrupt() == canInterrupt);
  }

  @Test
  void theParserCanBeInterruptedWhereARequestBeginsAndNowhereElse() throws Exception {
    try (HttpConnection connection = new HttpConnection(server.port())) {
      connection.send("P");
      Http1Connection parser = parsers.poll(20, TimeUnit.SECONDS);
      assertThat(parser).isNotNull();
      for (int i = 0; i < 2; i++) {
        expectToBecome(parser, true, "waiting for a request, or within its first line");
        connection.send((i == 0 ? "" : "P") + "OST / HTTP/1.1\r\nHo");
        expectToBecome(parser, false, "within the head");
        connection.send("st: h\r\nContent-Length: 4\r\n\r\n1");
        meet();
        assertThat(parser.canInterrupt()).as("in the handler").isFalse();
        connection.send("23");
        assertThat(parser.canInterrupt()).as("within the body").isFalse();
        connection.send("4");
        meet();
        assertThat(connection.reply().body()).isEqualTo("done");
      }
      expectToBecome(parser, true, "waiting for the third request");
    }
  }
}
