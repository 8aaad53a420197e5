package dev.replistream.http.wire;

import static java.util.Objects.requireNonNull;

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
import java.util.Set;

/// Makes a {@link Wire} of each TCP connection of a listener. Thread-safe.
public final class Wires implements ServerConnectionSelector {
  private final Crowd crowd;
  private final Deadlines deadlines;
  private final int largestChunkBytes;
  private final Http1ConnectionSelector http1;
  private final Repeats repeats = new Repeats();
  private final IoThreads threads;

  /// @param largestChunkBytes how much of a body one chunk may bring; a larger one is refused with
  ///   413 by its size alone, while the length of a body is the routes' to look at
  /// @param crowd where the connections are counted
  /// @param threads what looks after them
  public Wires(Deadlines deadlines, int largestChunkBytes, Crowd crowd, IoThreads threads) {
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
    this.threads = threads;
    threads.sweep(crowd);
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

  IoThreads threads() {
    return threads;
  }

  Crowd crowd() {
    return crowd;
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
    exchange(wire).parseBy(http1.connection(wire));
    return wire;
  }

  private static Exchange exchange(ConnectionContext context) {
    return requireNonNull(((Wire) context).exchange());
  }

  private static final class HeadReceived implements Http1ConnectionListener {
    @Override
    public void headers(ConnectionContext context, Headers headers) {
      exchange(context).headReceived(headers);
      if (headers instanceof WritableHeaders<?> request) { // those that the routes will see
        ContentCoding.check(request);
        Accept.tidy(request);
      }
    }
  }

  private static final class ResponseStarted implements Http1ConnectionListener {
    @Override
    public void status(ConnectionContext context, Status status) {
      exchange(context).responseStarted(status);
    }

    @Override
    public void headers(ConnectionContext context, Headers headers) {
      exchange(context).responseStarted(headers);
    }
  }
}
