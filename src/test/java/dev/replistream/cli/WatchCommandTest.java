package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class WatchCommandTest {
  private static final String HEAD = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n";

  private static LiveService service;

  @BeforeAll
  static void start(@TempDir Path dataDir) {
    service = new LiveService(dataDir);
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @Test
  void eachEventIsALineOfTimeIdAndData() throws Exception {
    try (CommandRun watch = service.start("watch", "--count", "2")) {
      assertThat(watch.out().await("connected"))
          .matches("\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  [0-9a-f]+-\\d+ +connected");
      assertThat(service.start("poke").exitCode()).isZero();

      assertThat(watch.exitCode()).isZero();
      assertThat(watch.out().toString())
          .hasLineCount(2)
          .containsPattern("\n\\d\\d:\\d\\d:\\d\\d\\.\\d{3}  [0-9a-f]+-\\d+ +sync\n");
      assertThat(watch.err().toString()).isEmpty();
    }
  }

  @Test
  void afterACutItComesBackWithTheLastIdAndMissesNothing() throws Exception {
    AtomicInteger streams = new AtomicInteger();
    try (SpoilingProxy proxy =
            SpoilingProxy.ofStreams(
                service,
                exchange -> {
                  if (streams.incrementAndGet() == 1) {
                    // the first stream breaks after its first event
                    byte[] connected = exchange.body().readNBytes(16);
                    exchange.write(exchange.head() + "\r\n\r\nretry: 150\nid: 0-0\n");
                    exchange.write("data: first " + connected.length + "\n\n");
                  } else {
                    exchange.pass();
                  }
                });
        CommandRun watch = service.start("watch", "--url", proxy.url())) {
      var _ = watch.out().await("first 16");
      var _ = watch.err().await("the stream is over");
      var _ = watch.err().await("trying again in 150 ms");
      var _ = watch.out().await("connected");
      var _ = watch.out().await("sync"); // what a client with an unknown id is told

      assertThat(request(proxy)).doesNotContain("Last-Event-ID");
      assertThat(request(proxy)).contains("Last-Event-ID: 0-0\r\n");
    }
  }

  private static String request(SpoilingProxy proxy) throws InterruptedException {
    String head = proxy.requests().poll(10, TimeUnit.SECONDS);
    assertThat(head).isNotNull();
    return head;
  }

  @Test
  void anEmptyIdIsNotSentBack() throws Exception {
    try (ScriptedServer server =
            new ScriptedServer(_ -> HEAD + "retry: 1\nid: 1\ndata: a\n\nid\ndata: b\n\n");
        CommandRun watch = service.start("watch", "--url", server.url(), "--count", "3")) {
      assertThat(watch.exitCode()).isZero();
      assertThat(server.requests()).hasSize(2).noneMatch(head -> head.contains("Last-Event-ID"));
    }
  }

  @Test
  void onceMeansThatItDoesNotComeBack() throws Exception {
    try (ScriptedServer server = new ScriptedServer(_ -> HEAD + "data: a\n\n");
        CommandRun watch = service.start("watch", "--url", server.url(), "--once")) {
      assertThat(watch.exitCode()).isZero();
      assertThat(watch.out().toString()).matches("\\S+  - +a\n");
      assertThat(server.requests()).hasSize(1);
    }
  }

  @Test
  void onceWithoutAStreamFails() throws Exception {
    CommandRun watch = service.start("watch", "--url", "http://127.0.0.1:1", "--once");

    assertThat(watch.exitCode()).isEqualTo(1);
    assertThat(watch.err().toString()).isEqualTo("replistream: nothing listens at 127.0.0.1:1\n");
  }

  @ParameterizedTest
  @ValueSource(ints = {429, 500, 502, 503, 504})
  void whatMayPassIsTriedAgain(int status) throws Exception {
    AtomicInteger requests = new AtomicInteger();
    try (ScriptedServer server =
            new ScriptedServer(_ ->
                switch (requests.incrementAndGet()) {
                  case 1 -> HEAD + "retry: 110\n\n";
                  case 2 -> "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n".formatted(status);
                  default -> HEAD + "data: a\n\n";
                });
        CommandRun watch = service.start("watch", "--url", server.url(), "--count", "1")) {
      assertThat(watch.exitCode()).isZero();
      assertThat(watch.err().toString()).containsPattern(status + ": .*\n.*trying again in 110 ms");
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {204, 302, 401, 403, 404, 406})
  void whatWillNotPassEndsIt(int status) throws Exception {
    try (ScriptedServer server =
            new ScriptedServer(
                _ -> "HTTP/1.1 %d No\r\nContent-Length: 0\r\n\r\n".formatted(status));
        CommandRun watch = service.start("watch", "--url", server.url())) {
      assertThat(watch.exitCode()).isEqualTo(1);
      assertThat(watch.err().toString()).contains(status + ": ").hasLineCount(1);
      assertThat(server.requests()).hasSize(1);
    }
  }

  @Test
  void aStreamThatItsUserEndsDoesNotComeBack() throws Exception {
    try (CommandRun watch = service.start("watch", "--user", "ender")) {
      var _ = watch.out().await("connected");

      service.endAll("ender");

      assertThat(watch.exitCode()).isEqualTo(1);
      assertThat(watch.out().toString()).containsPattern("ended-\\S+  \\[ended] ended\n$");
      assertThat(watch.err().toString())
          .contains("204: the user of this stream ended it")
          .doesNotContain("Replistream, but of a proxy");
    }
  }

  @Test
  void anotherContentTypeEndsIt() throws Exception {
    try (ScriptedServer server =
            new ScriptedServer(_ -> "HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<html>");
        CommandRun watch = service.start("watch", "--url", server.url())) {
      assertThat(watch.exitCode()).isEqualTo(1);
      assertThat(watch.err().toString()).contains("Content-Type is text/html").hasLineCount(1);
    }
  }

  @Test
  void whatAServerSendsCanNotMoveTheCursor() throws Exception {
    try (ScriptedServer server =
            new ScriptedServer(_ -> HEAD + "event: x\nid: \u001b7\ndata: a\ndata: \u001b[2Jb\n\n");
        CommandRun watch = service.start("watch", "--url", server.url(), "--once")) {
      assertThat(watch.exitCode()).isZero();
      assertThat(watch.out().toString()).contains("\\u001b7").endsWith("[x] a\\n\\u001b[2Jb\n");
    }
  }

  @Test
  void aStreamWithAnEndlessEventBreaks() throws Exception {
    try (ScriptedServer server = new ScriptedServer(_ -> HEAD + "data: " + "x".repeat(2 << 20));
        CommandRun watch = service.start("watch", "--url", server.url(), "--once")) {
      assertThat(watch.exitCode()).isZero();
      assertThat(watch.err().toString()).contains("an event is larger than 1 MiB");
    }
  }

  @Test
  void anInterruptEndsItAndItsStream() throws Exception {
    CommandRun watch = service.start("watch", "--user", "leaver");
    var _ = watch.out().await("connected");

    watch.close();

    assertThat(watch.exitCode()).isEqualTo(130);
  }

  @Test
  void aCountOfNothingIsRefused() throws Exception {
    CommandRun watch = service.start("watch", "--count", "0");

    assertThat(watch.exitCode()).isEqualTo(2);
    assertThat(watch.err().toString()).contains("--count: 1 or more").hasLineCount(1);
  }
}
