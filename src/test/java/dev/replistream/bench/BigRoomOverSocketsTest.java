package dev.replistream.bench;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Rounds;
import dev.replistream.poke.Spread;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A room with thousands of members and two streams of each, in a process of its own.
@Tag("alone")
class BigRoomOverSocketsTest {
  private static final int MEMBERS = Rounds.of(2_000, 5_000);
  private static final int STREAMS = 2 * MEMBERS;

  /// A stream more or less in this share of the window is the machine's noise.
  private static final double NOISE = 0.1;

  private final Secret secret = new Secret();
  private final List<String> tokens = secret.tokens(MEMBERS);
  private final Deliveries deliveries = new Deliveries(MEMBERS);
  @TempDir private Path directory;
  private ServerProcess server;

  @BeforeEach
  void start() throws IOException {
    server =
        ServerProcess.start(
            List.of(
                ProcessHandle.current().info().command().orElseThrow(),
                "--enable-native-access=ALL-UNNAMED",
                "-XX:+UseSerialGC",
                "-Xmn32m", // has been used all through by the first poke
                "-cp",
                System.getProperty("java.class.path"),
                "dev.replistream.Main",
                "serve"),
            Map.of(
                "REPLISTREAM_AUTH_SECRET",
                secret.text(),
                "REPLISTREAM_DATA_DIR",
                directory.resolve("data").toString(),
                "REPLISTREAM_STREAM_DRAIN",
                "PT0S",
                "REPLISTREAM_ROOMS_MEMBERSHIP",
                "direct"),
            directory.resolve("log"));
    try (HttpConnection owner = new HttpConnection(server.port())) {
      send(owner, "POST", "/rooms", "{\"id\":\"hall\"}", 201);
      for (int i = 1; i < MEMBERS; i++) {
        send(owner, "PUT", "/rooms/hall/members/user-" + i, "{\"role\":\"reader\"}", 201);
      }
    }
  }

  @AfterEach
  void stop() {
    server.close();
  }

  private HttpReply send(
      HttpConnection connection, String method, String route, String body, int status) {
    connection.send(HttpRequest.api(method, route).by(tokens.getFirst()).with(body).toBytes());
    HttpReply reply = connection.reply();
    assertThat(reply.status()).as("%s %s", method, route).isEqualTo(status);
    return reply;
  }

  @Test
  void onePokeReachesAllOverTheWindowAndLeavesNothingInMemory() throws IOException {
    try (Loop loop = new Loop();
        HttpConnection owner = new HttpConnection(server.port())) {
      StreamLoad streams = new StreamLoad(loop, server.port(), tokens, deliveries);
      streams.open(STREAMS, i -> i % MEMBERS);
      assertThat(streams.open()).isEqualTo(STREAMS);

      poke(loop, owner);
      long residentBytes = server.residentBytes();
      poke(loop, owner);

      assertThat(server.residentBytes() - residentBytes).isLessThan(16 << 20);
      assertThat(streams.failed()).isZero();
      assertThat(deliveries.unexpected()).isZero();
    }
  }

  private void poke(Loop loop, HttpConnection owner) {
    deliveries.startOver();
    Duration window = Spread.window(STREAMS - 2);
    long begin = System.nanoTime();
    for (int user = 0; user < MEMBERS; user++) {
      deliveries.poked(user, 2, begin);
    }

    HttpReply reply = send(owner, "POST", "/rooms/hall/poke", "", 200);
    assertThat(reply.json().getInt("clientsNotified")).isEqualTo(STREAMS);
    loop.runFor(Duration.ofMillis(500));
    assertThat(deliveries.isDue(0)).as("the poker waits for its own").isFalse();

    long most = window.plusSeconds(5).toNanos();
    while (deliveries.missing() > 0 && System.nanoTime() - begin < most) {
      loop.runFor(Duration.ofMillis(50));
      double passed = (double) (System.nanoTime() - begin) / window.toNanos();
      assertThat((double) deliveries.count() / STREAMS)
          .as("told after %.2f of the window", passed)
          .isLessThanOrEqualTo(passed + NOISE);
    }
    assertThat(deliveries.missing()).isZero();
    assertThat(deliveries.latencyMillis(99)).isGreaterThan(window.toMillis() * (1 - NOISE));
  }
}
