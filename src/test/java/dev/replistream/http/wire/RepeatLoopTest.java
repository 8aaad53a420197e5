package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedSelectorException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class RepeatLoopTest {
  private static final byte[] LARGE = new byte[50_000_000];

  private final RepeatLoop loop = new RepeatLoop();
  private final AtomicInteger answered = new AtomicInteger();
  private SocketChannel client;
  private SocketChannel server;

  @BeforeEach
  void connect() throws IOException {
    try (ServerSocketChannel listener = ServerSocketChannel.open()) {
      listener.bind(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0));
      client = SocketChannel.open(listener.getLocalAddress());
      server = listener.accept();
      server.configureBlocking(false);
    }
  }

  @AfterEach
  void close() throws IOException {
    client.close();
    server.close();
    loop.close();
  }

  /// Answers `a` with `b`, `large` with much, and nothing else.
  private final RepeatLoop.Guest guest =
      new RepeatLoop.Guest() {
        @Override
        public byte @Nullable [] answer(byte[] request) {
          return switch (new String(request, StandardCharsets.US_ASCII)) {
            case "a" -> new byte[] {'b'};
            case "large" -> LARGE;
            case "bug" -> throw new IllegalStateException("made up");
            default -> null;
          };
        }

        @Override
        public void answered() {
          answered.incrementAndGet();
        }
      };

  private CompletableFuture<RepeatLoop.Leave> serve() {
    CompletableFuture<RepeatLoop.Leave> whenLeaving = new CompletableFuture<>();
    loop.serve(server, guest, whenLeaving);
    return whenLeaving;
  }

  private void send(String text) throws IOException {
    client.write(ByteBuffer.wrap(text.getBytes(StandardCharsets.US_ASCII)));
  }

  private void expectAnswer() throws IOException {
    ByteBuffer one = ByteBuffer.allocate(1);
    client.read(one);
    assertThat(one.get(0)).isEqualTo((byte) 'b');
  }

  private static RepeatLoop.Leave get(CompletableFuture<RepeatLoop.Leave> leave) throws Exception {
    return leave.get(20, TimeUnit.SECONDS);
  }

  @Test
  void aConnectionIsAnsweredUntilSomethingComesThatIsNotKnown() throws Exception {
    CompletableFuture<RepeatLoop.Leave> leave = serve();
    for (int i = 1; i <= 3; i++) {
      send("a");
      expectAnswer();
    }
    assertThat(leave).isNotDone();

    send("other");

    assertThat(new String(Objects.requireNonNull(get(leave).request()), StandardCharsets.US_ASCII))
        .isEqualTo("other");
    assertThat(get(leave).unsent()).isNull();
    assertThat(answered).hasValue(3);
  }

  @Test
  void aConnectionMayComeBack() throws Exception {
    for (int i = 1; i <= 100; i++) {
      CompletableFuture<RepeatLoop.Leave> leave = serve();
      send("a");
      expectAnswer();
      send("other");
      get(leave);
      server.configureBlocking(true); // refused to a channel that is still watched
      server.configureBlocking(false);
    }
  }

  @Test
  void theEndOfAConnectionIsTold() throws Exception {
    CompletableFuture<RepeatLoop.Leave> leave = serve();

    client.close();

    assertThat(get(leave)).isEqualTo(new RepeatLoop.Leave(null, null));
  }

  @Test
  void whatTheClientDoesNotTakeIsLeftToItsOwnThread() throws Exception {
    CompletableFuture<RepeatLoop.Leave> leave = serve();

    send("large");

    byte[] unsent = get(leave).unsent();
    assertThat(Objects.requireNonNull(unsent).length).isPositive().isLessThan(LARGE.length);
    assertThat(get(leave).request()).isNull();
    assertThat(answered).hasValue(0);
  }

  @Test
  void aLongRequestIsLeftToItsOwnThread() throws Exception {
    CompletableFuture<RepeatLoop.Leave> leave = serve();

    send("a".repeat(10_000));

    assertThat(get(leave).request()).hasSizeGreaterThan(1_000);
  }

  @Test
  void aBugEndsItsOwnConnectionOnly() throws Exception {
    CompletableFuture<RepeatLoop.Leave> leave = serve();

    send("bug");

    assertThatThrownBy(() -> get(leave))
        .isInstanceOf(ExecutionException.class)
        .hasRootCauseMessage("made up");
    CompletableFuture<RepeatLoop.Leave> again = serve();
    send("a");
    expectAnswer();
    assertThat(again).isNotDone();
  }

  @Test
  void aClosedLoopTakesNobody() {
    loop.close();

    assertThatThrownBy(() -> get(serve())).hasCauseInstanceOf(ClosedSelectorException.class);
  }
}
