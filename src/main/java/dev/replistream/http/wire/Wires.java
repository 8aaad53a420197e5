package dev.replistream.http.wire;

import io.helidon.common.buffers.BufferData;
import io.helidon.http.Headers;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionListener;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import io.helidon.webserver.spi.ServerConnectionSelector;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/// Makes a {@link Wire} of each TCP connection of a listener, and closes those that are overdue.
///
/// Thread-safe. It owns the sweep, a thread which looks at every connection twice a second: a
/// deadline is kept to within half a second, and no connection needs a timer of its own. It owns
/// the {@link EndWatch} too.
public final class Wires implements ServerConnectionSelector, AutoCloseable {
  private static final Duration SWEEP_INTERVAL = Duration.ofMillis(500);

  private final Crowd crowd;
  private final Deadlines deadlines;
  private final int largestChunkBytes;
  private final Http1ConnectionSelector http1;
  private final Repeats repeats = new Repeats();
  private final List<RepeatLoop> repeatLoops =
      Stream.generate(RepeatLoop::new)
          .limit(Math.max(1, Runtime.getRuntime().availableProcessors() / 2))
          .toList();
  private final AtomicInteger nextLoop = new AtomicInteger();
  private final EndWatch endWatch = new EndWatch();
  private final Thread sweep;

  /// Starts the sweep.
  ///
  /// @param largestChunkBytes how much of a body one chunk may bring; a larger one is refused with
  ///   413 by its size alone, while the length of a body is the routes' to look at
  /// @param crowd where the connections are counted
  public Wires(Deadlines deadlines, int largestChunkBytes, Crowd crowd) {
    this.crowd = crowd;
    this.deadlines = deadlines;
    this.largestChunkBytes = largestChunkBytes;
    this.http1 =
        Http1ConnectionSelector.builder()
            .config(
                Http1Config.builder()
                    .log(log -> log.receiveLog(false).sendLog(false))
                    // else a body that no handler asks for is taken for the next request
                    .continueImmediately(true)
                    .addReceiveListener(new HeadReceived())
                    .addSendListener(new ResponseStarted())
                    .build())
            .build();
    this.sweep = Thread.ofPlatform().name("wire-sweep").daemon().start(this::sweep);
  }

  Deadlines deadlines() {
    return deadlines;
  }

  int largestChunkBytes() {
    return largestChunkBytes;
  }

  Repeats repeats() {
    return repeats;
  }

  /// One of the loops, each in its turn.
  RepeatLoop repeatLoop() {
    return repeatLoops.get(Math.floorMod(nextLoop.getAndIncrement(), repeatLoops.size()));
  }

  void releaseLoops() {
    repeatLoops.forEach(RepeatLoop::release);
  }

  EndWatch endWatch() {
    return endWatch;
  }

  Crowd crowd() {
    return crowd;
  }

  private void sweep() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(SWEEP_INTERVAL);
      } catch (InterruptedException _) {
        return;
      }
      long now = System.nanoTime();
      for (Wire wire : crowd.all()) {
        wire.enforceDeadline(now);
      }
      crowd.makeRoom();
    }
  }

  @Override
  public int bytesToIdentifyConnection() {
    return 0;
  }

  @Override
  public Support supports(BufferData data) {
    return Support.SUPPORTED; // HTTP/1.1 is all there is, so its parser answers whatever else comes
  }

  @Override
  public Set<String> supportedApplicationProtocols() {
    return http1.supportedApplicationProtocols();
  }

  @Override
  public ServerConnection connection(ConnectionContext context) {
    Wire wire = new Wire(context, this);
    wire.speak(http1.connection(wire));
    return wire;
  }

  /// Ends the sweep and the watch; connections are the server's to close.
  @Override
  public void close() {
    sweep.interrupt();
    endWatch.close();
    repeatLoops.forEach(RepeatLoop::close);
  }

  private static final class HeadReceived implements Http1ConnectionListener {
    @Override
    public void headers(ConnectionContext context, Headers headers) {
      ((Wire) context).headReceived(headers);
      if (headers instanceof WritableHeaders<?> request) { // those that the routes will see
        ContentCoding.check(request);
        Accept.tidy(request);
      }
    }
  }

  private static final class ResponseStarted implements Http1ConnectionListener {
    @Override
    public void status(ConnectionContext context, Status status) {
      ((Wire) context).responseStarted(status);
    }

    @Override
    public void headers(ConnectionContext context, Headers headers) {
      ((Wire) context).responseStarted(headers);
    }
  }
}
