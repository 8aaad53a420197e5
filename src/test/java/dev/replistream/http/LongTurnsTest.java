package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// Long work of requests leaves carriers of virtual threads to short work.
class LongTurnsTest {
  private static final TestService SERVICE = TestService.start();

  private final ServiceClient client = SERVICE.client();

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private byte[] push(int id, int valueBytes) {
    String value = "v".repeat(valueBytes);
    return HttpRequest.api("POST", "/push")
        .by(client.token("alice"))
        .with(
            """
            {"profileID":"p","clientGroupID":"g%d","pushVersion":1,"schemaVersion":"",\
            "mutations":[{"id":1,"clientID":"c%d","name":"put","args":{"key":"k","value":"%s"}}]}\
            """
                .formatted(id, id, value))
        .toBytes();
  }

  @Test
  void aLongBodyWaitsForATurnAndAShortOneDoesNot() {
    try (HttpConnection longOne = client.connect();
        HttpConnection shortOne = client.connect()) {
      takeAll();
      try {
        longOne.send(push(1, 200_000));
        Eventually.holds("the long one waits", () -> LongTurns.waiting() > 0);

        assertThat(shortOne.send(push(2, 20_000)).reply().status()).isEqualTo(200);
        assertThat(LongTurns.waiting()).isPositive();
      } finally {
        endAll();
      }
      assertThat(longOne.reply().status()).isEqualTo(200);
    }
  }

  @Test
  void whatIsLeftOfARefusedBodyIsThrownAwayInTurns() {
    try (HttpConnection refused = client.connect()) {
      takeAll();
      try {
        refused.send(
            "POST /api/v1/replicache/poke-user HTTP/1.1\r\nHost: h\r\nContent-Length: 9\r\n\r\n");
        assertThat(refused.reply().status()).isEqualTo(401);
        refused.send("123456789");
        Eventually.holds("it waits", () -> LongTurns.waiting() > 0);
      } finally {
        endAll();
      }
      assertThat(refused.send(HttpRequest.of("GET", "/replistream.js").toBytes()).reply().status())
          .isEqualTo(200);
    }
  }

  @Test
  void aLongAnswerIsMadeSmallerInTurns() throws Exception {
    byte[] part = "some of an answer".repeat(5_000).getBytes(StandardCharsets.UTF_8);
    try (Gzip gzip = new Gzip(OutputStream.nullOutputStream())) {
      gzip.write(part);
      takeAll();
      CompletableFuture<Void> more;
      try {
        more =
            CompletableFuture.runAsync(
                () -> {
                  try {
                    gzip.write(part);
                  } catch (IOException e) {
                    throw new UncheckedIOException(e);
                  }
                },
                Thread::startVirtualThread);
        Eventually.holds("it waits", () -> LongTurns.waiting() > 0);
      } finally {
        endAll();
      }
      more.get();
    }
  }

  private static void takeAll() {
    for (int i = 0; i < LongTurns.COUNT; i++) {
      LongTurns.take();
    }
  }

  private static void endAll() {
    for (int i = 0; i < LongTurns.COUNT; i++) {
      LongTurns.end();
    }
  }
}
