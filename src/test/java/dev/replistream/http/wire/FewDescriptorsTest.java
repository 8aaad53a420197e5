package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.SmallServer;
import dev.replistream.StreamClient;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// A process that may open few files, and clients that take all of them.
class FewDescriptorsTest {
  private static final String FAILURES = "replistream_accept_failures_total{listener=\"api\"}";

  private final List<HttpConnection> silent = new ArrayList<>();

  @AfterEach
  void close() {
    silent.forEach(HttpConnection::close);
  }

  private void connect(int port, int count, int addresses) {
    for (int i = 0; i < count; i++) {
      try {
        silent.add(HttpConnection.from("127.0.1." + (1 + i % addresses), port));
      } catch (UncheckedIOException _) {
        // refused, which is not what is asked here
      }
    }
  }

  private static List<StreamClient> streams(ServiceClient client, int count) {
    return IntStream.range(0, count)
        .mapToObj(i -> client.open(client.stream("alice")))
        .peek(stream -> stream.expect("connected"))
        .toList();
  }

  @Test
  void bothListenersGoOnAndStreamsLive() {
    try (SmallServer server = SmallServer.start(1024)) {
      ServiceClient client = server.client();
      List<StreamClient> streams = streams(client, 5);

      connect(server.adminPort(), 700, 1);
      connect(server.port(), 600, 20);

      assertThat(client.poke("alice")).isEqualTo(streams.size());
      streams.forEach(stream -> stream.expect("sync"));
      assertThat(client.admin("/health/live").status()).isEqualTo(200);
      assertThat(client.admin("/health/ready").status()).isEqualTo(200);
      assertThat(
              client.metrics().getOrDefault("replistream_tcp_open{listener=\"admin\"}", Double.NaN))
          .isLessThanOrEqualTo(64);
      assertThat(client.send(HttpRequest.of("GET", "/replistream.js")).status()).isEqualTo(200);
      streams.forEach(StreamClient::close);
    }
  }

  /// As when something else takes the descriptors that were set aside: the process is left with 40
  /// more than it has.
  @Test
  void whenAcceptFailsTheSilentGoAndItGoesOn() throws IOException, InterruptedException {
    try (SmallServer server = SmallServer.start(1024, "LIMITS_STRANGERS_PER_ADDRESS", "0")) {
      ServiceClient client = server.client();
      List<StreamClient> streams = streams(client, 5);
      limitTo(server, openFiles(server) + 40);

      connect(server.port(), 200, 20);
      Eventually.holds("it failed", () -> client.metrics().getOrDefault(FAILURES, Double.NaN) > 0);

      assertThat(client.send(client.pokeOf("alice")).status()).as(server.log()).isEqualTo(200);
      streams.forEach(stream -> stream.expect("sync"));
      assertThat(client.admin("/health/live").status()).isEqualTo(200);
      connect(server.adminPort(), 100, 1);
      assertThat(client.admin("/health/ready").status()).isEqualTo(200);
      assertThat(server.log()).contains("event=accept-failed").doesNotContain("Exception");
      streams.forEach(StreamClient::close);
    }
  }

  private static long openFiles(SmallServer server) throws IOException {
    try (Stream<Path> files = Files.list(Path.of("/proc/" + server.pid() + "/fd"))) {
      return files.count();
    }
  }

  private static void limitTo(SmallServer server, long openFiles)
      throws IOException, InterruptedException {
    Process limiting =
        new ProcessBuilder("prlimit", "--pid", "" + server.pid(), "--nofile=" + openFiles + ":1024")
            .inheritIO()
            .start();
    assertThat(limiting.waitFor()).isZero();
  }
}
