package dev.replistream.http;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.spi.ServerConnection;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One client's TCP connection. It speaks HTTP/1.1 until a handler takes it over ({@link
/// Takeover}); from then on it carries bytes for the one session that took it.
///
/// A taken connection holds neither the request, the response nor the HTTP parser: the handler has
/// returned, and the session runs directly on the connection's virtual thread. That is what keeps
/// an idle stream small.
///
/// Every read and write has a deadline, which the sweep of {@link Wires} enforces by closing the
/// socket: a read or write blocked on it then fails at once.
///
/// {@link #write}, and everything that Helidon calls, is confined to the connection's own virtual
/// thread; {@link #awaitEnd} may block one other thread; {@link #abort} may be called by any.
public final class Wire implements ServerConnection, ConnectionContext {
  private static final long NEVER = Long.MAX_VALUE;

  /// Where the exchange of requests stands, which decides how long a read may take.
  private enum Phase {
    /// Between requests: waiting for the first byte of the next one.
    IDLE,
    /// Bytes of a request's head have come.
    HEAD,
    /// The head is complete; reads belong to the body.
    BODY,
  }

  private final ConnectionContext context;
  private final Wires wires;
  private final DataWriter writer = new DeadlineWriter();
  private @Nullable ServerConnection http1;
  private @Nullable DataReader reader;
  private @Nullable PeerInfo remotePeer;
  private @Nullable Consumer<Wire> session;
  private Phase phase = Phase.IDLE;
  private long bodyDeadlineNanos;
  // when the blocked read or write is overdue, by System.nanoTime
  private volatile long readDeadlineNanos = NEVER;
  private volatile long writeDeadlineNanos = NEVER;
  private volatile boolean timedOut;

  Wire(ConnectionContext context, Wires wires) {
    this.context = context;
    this.wires = wires;
    this.reader = DataReader.create(this::read);
  }

  void speak(ServerConnection connection) {
    http1 = connection;
  }

  /// Hands the connection to `session` once the current request's handler has returned.
  void takeOver(Consumer<Wire> session) {
    this.session = session;
    takeNoMoreRequests();
  }

  private void takeNoMoreRequests() {
    ServerConnection connection = http1;
    if (connection != null) {
      connection.close(false); // ends the loop over requests, not the socket
    }
  }

  /// Writes `bytes` at once, in one call to the socket.
  ///
  /// @throws UncheckedIOException when the client is gone, or did not read for the write timeout
  public void write(byte[] bytes) {
    writeDeadlineNanos = System.nanoTime() + wires.deadlines().write().toNanos();
    try {
      context.dataWriter().writeNow(BufferData.create(bytes));
    } finally {
      writeDeadlineNanos = NEVER;
    }
  }

  /// Blocks until the client closes the connection or {@link #abort} does; bytes that the client
  /// sends meanwhile are dropped.
  public End awaitEnd() {
    try {
      while (context.serverSocket().get() != null) {
        // a client has nothing to say on a taken connection
      }
      return End.CLOSED;
    } catch (UncheckedIOException e) {
      return timedOut ? End.OVERDUE : isVanished(e) ? End.VANISHED : End.CLOSED;
    }
  }

  /// How a connection ended.
  public enum End {
    /// One side closed it, or the client's network reset it.
    CLOSED,
    /// It kept this server waiting beyond a deadline.
    OVERDUE,
    /// TCP gave up on a client that stopped answering.
    VANISHED
  }

  /// Whether a deadline passed, so that the socket was closed for it.
  public boolean isTimedOut() {
    return timedOut;
  }

  /// Whether `e` says that TCP gave up on a client which stopped answering (`ETIMEDOUT`,
  /// `EHOSTUNREACH`, `ENETUNREACH`); Java tells it in words only.
  public static boolean isVanished(UncheckedIOException e) {
    IOException cause = e.getCause();
    String message = cause == null ? null : cause.getMessage();
    return message != null
        && (message.contains("timed out")
            || message.contains("No route to host")
            || message.contains("unreachable"));
  }

  /// Closes the socket at once. Idempotent, never throws.
  public void abort() {
    try {
      context.serverSocket().close();
    } catch (UncheckedIOException _) {
      // it is closed already
    }
  }

  /// Closes the socket if a read or write on it is overdue.
  void enforceDeadline(long nowNanos) {
    if (isPast(readDeadlineNanos, nowNanos) || isPast(writeDeadlineNanos, nowNanos)) {
      timedOut = true;
      abort();
    }
  }

  private static boolean isPast(long deadlineNanos, long nowNanos) {
    return deadlineNanos != NEVER && nowNanos - deadlineNanos > 0;
  }

  void headReceived(Headers headers) {
    phase = Phase.BODY;
    readDeadlineNanos = NEVER; // a handler may take its time; each read of the body has a deadline
    bodyDeadlineNanos = System.nanoTime() + wires.deadlines().body().toNanos();
    closeIfLast(headers);
  }

  void responseStarted(Headers headers) {
    phase = Phase.IDLE;
    closeIfLast(headers);
  }

  /// RFC 9112, section 9.6: after `Connection: close` in either direction no further request is
  /// read. Helidon would go on, and take what is left of a refused body for the next request.
  private void closeIfLast(Headers headers) {
    if (!headers.contains(HeaderNames.CONNECTION)) {
      return;
    }
    for (String value : headers.get(HeaderNames.CONNECTION).allValues(true)) {
      if (value.equalsIgnoreCase("close")) {
        takeNoMoreRequests();
      }
    }
  }

  private byte @Nullable [] read() {
    Deadlines deadlines = wires.deadlines();
    switch (phase) {
      case IDLE -> readDeadlineNanos = System.nanoTime() + deadlines.idle().toNanos();
      case HEAD -> {} // one deadline for the whole head, however it trickles in
      case BODY -> readDeadlineNanos = bodyDeadlineNanos;
    }
    try {
      byte[] bytes = next();
      if (bytes == null && phase != Phase.IDLE) {
        throw new CloseConnectionException("The client left within a request");
      }
      if (phase == Phase.IDLE) {
        phase = Phase.HEAD;
        readDeadlineNanos = System.nanoTime() + deadlines.head().toNanos();
      }
      return bytes;
    } catch (UncheckedIOException e) {
      throw new ServerConnectionException("The client's connection ended", e);
    } finally {
      if (phase != Phase.HEAD) {
        readDeadlineNanos = NEVER;
      }
    }
  }

  /// Where a listener has several selectors, the server reads the beginning of a connection to
  /// choose one of them: those bytes come first.
  private byte @Nullable [] next() {
    int readAhead = context.dataReader().available();
    return readAhead > 0
        ? context.dataReader().readBuffer(readAhead).readBytes()
        : context.serverSocket().get();
  }

  @Override
  public void handle(Limit limit) throws InterruptedException {
    wires.add(this);
    try {
      serveRequests(limit);
    } finally {
      try {
        serveSession();
      } finally {
        wires.remove(this);
      }
    }
  }

  private void serveRequests(Limit limit) throws InterruptedException {
    try {
      ServerConnection connection = http1;
      if (connection != null) {
        connection.handle(limit);
      }
    } finally {
      http1 = null;
      reader = null;
      remotePeer = null;
      readDeadlineNanos = NEVER;
    }
  }

  /// Runs even when the end of the request failed: a session that was promised the connection has
  /// to learn of its end.
  private void serveSession() {
    Consumer<Wire> taken = session;
    session = null;
    if (taken != null) {
      taken.accept(this);
    }
  }

  @Override
  public Duration idleTime() {
    return Duration.ZERO; // the deadlines above are stricter than Helidon's idle timer
  }

  @Override
  public void close(boolean interrupt) {
    ServerConnection connection = http1;
    if (connection != null) {
      connection.close(interrupt);
    } else if (interrupt) {
      abort();
    }
  }

  @Override
  public DataReader dataReader() {
    DataReader current = reader;
    return current == null ? context.dataReader() : current;
  }

  @Override
  public DataWriter dataWriter() {
    return writer;
  }

  @Override
  public ListenerContext listenerContext() {
    return context.listenerContext();
  }

  @Override
  public ExecutorService executor() {
    return context.executor();
  }

  @Override
  public Router router() {
    return context.router();
  }

  @Override
  public Optional<ProxyProtocolData> proxyProtocolData() {
    return context.proxyProtocolData();
  }

  @Override
  public HelidonSocket serverSocket() {
    return context.serverSocket();
  }

  @Override
  public PeerInfo remotePeer() {
    PeerInfo known = remotePeer;
    if (known == null) {
      known = context.remotePeer(); // makes a new one each time, and Helidon asks at each request
      remotePeer = known;
    }
    return known;
  }

  @Override
  public PeerInfo localPeer() {
    return context.localPeer();
  }

  @Override
  public boolean isSecure() {
    return context.isSecure();
  }

  @Override
  public String socketId() {
    return context.socketId();
  }

  @Override
  public String childSocketId() {
    return context.childSocketId();
  }

  /// The writer of ordinary responses, with the same deadline as {@link Wire#write}.
  private final class DeadlineWriter implements DataWriter {
    @Override
    public void write(BufferData... buffers) {
      writeNow(BufferData.create(buffers));
    }

    @Override
    public void write(BufferData buffer) {
      writeNow(buffer);
    }

    @Override
    public void writeNow(BufferData... buffers) {
      writeNow(BufferData.create(buffers));
    }

    @Override
    public void writeNow(BufferData buffer) {
      writeDeadlineNanos = System.nanoTime() + wires.deadlines().write().toNanos();
      try {
        context.dataWriter().writeNow(buffer);
      } catch (UncheckedIOException e) {
        throw new ServerConnectionException("The client's connection ended", e);
      } finally {
        writeDeadlineNanos = NEVER;
      }
    }
  }
}
