package dev.replistream.http.wire;

import static java.util.Objects.requireNonNull;

import dev.replistream.http.ClientAddresses;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.spi.ServerConnection;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.nio.channels.SocketChannel;
import java.security.Principal;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.Optional;
import java.util.concurrent.ExecutorService;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/// One client's TCP connection, as Helidon sees it: the connection that it serves, and what its
/// parser of HTTP/1.1 and the routes see of the connection. It carries requests ({@link Exchange})
/// until a handler takes it over ({@link Takeover}); from then on it carries bytes for the one
/// session that took it ({@link TakenSocket}).
///
/// A taken connection holds neither the request, the response nor the HTTP parser: the handler has
/// returned, and the session runs directly on the connection's virtual thread. That is what keeps
/// an idle stream small.
///
/// Every read and write has a deadline, which the sweep of {@link IoThreads} enforces by closing
/// the socket: a read or write blocked on it then fails at once.
///
/// Everything that Helidon calls is confined to the connection's own virtual thread; {@link #abort}
/// may be called by any.
public final class Wire implements ServerConnection, ConnectionContext {
  private final ConnectionContext context;
  private final Wires wires;
  private final IoTimer timer = new IoTimer();
  private final DataWriter writer;
  // as long as it carries requests
  private @Nullable Exchange exchange;
  private @Nullable PeerInfo remotePeer;
  private @Nullable Consumer<TakenSocket> session;
  private volatile @Nullable TakenSocket taken;
  // where it counts as long as no request on it was authenticated
  private volatile @Nullable InetAddress strangerOf;

  Wire(ConnectionContext context, Wires wires) {
    this.context = context;
    this.wires = wires;
    this.writer = new DeadlineWriter(context, timer, wires.deadlines().write());
    this.exchange = new Exchange(this, wires.largestChunkBytes());
  }

  // what its parts share

  ConnectionContext context() {
    return context;
  }

  IoTimer timer() {
    return timer;
  }

  Deadlines deadlines() {
    return wires.deadlines();
  }

  Repeats repeats() {
    return wires.repeats();
  }

  IoThreads threads() {
    return wires.threads();
  }

  /// The exchange of requests; null when it is over.
  @Nullable Exchange exchange() {
    return exchange;
  }

  /// What the client has sent, as much as has come; null when it has closed the connection. Where a
  /// listener has several selectors, the server reads the beginning of a connection to choose one
  /// of them: those bytes come first.
  byte @Nullable [] next() {
    int readAhead = context.dataReader().available();
    return readAhead > 0
        ? context.dataReader().readBuffer(readAhead).readBytes()
        : context.serverSocket().get();
  }

  /// Hands the connection to `session` once the current request's handler has returned.
  void takeOver(Consumer<TakenSocket> next) {
    session = next;
    Exchange current = exchange;
    if (current != null) {
      current.takeNoMore();
    }
  }

  /// Closes the socket at once. Idempotent, never throws.
  void abort() {
    try {
      context.serverSocket().close();
    } catch (UncheckedIOException _) {
      // it is closed already
    }
    Exchange current = exchange;
    if (current != null) {
      current.abort();
    }
    TakenSocket socket = taken;
    if (socket != null) {
      socket.closed();
    }
  }

  /// Closes the socket if a read or write on it is overdue.
  void enforceDeadline(long nowNanos) {
    if (timer.expires(nowNanos)) {
      abort();
    }
  }

  // what the crowd asks

  /// Notes that the connection which carries `request` is no stranger's any more: it has shown a
  /// good credential.
  public static void authenticated(ServerRequest request) {
    if (request.remotePeer() instanceof Peer peer) {
      peer.wire.authenticated();
    }
  }

  void authenticated() {
    InetAddress address = strangerOf;
    if (address != null) {
      strangerOf = null;
      wires.crowd().authenticated(this, address);
    }
  }

  /// Lets it count where `address` does until it is authenticated.
  void strangerOf(InetAddress address) {
    strangerOf = address;
  }

  boolean isStranger() {
    return strangerOf != null;
  }

  InetAddress remoteAddress() {
    return ClientAddresses.address(remotePeer().address());
  }

  /// How long the client has kept this server waiting for a request, or to take its response; less
  /// than 0 where it does not, and of a stream. Without a lock, so it may be off for a moment.
  long silentNanos(long nowNanos) {
    Exchange current = exchange;
    return current == null
        ? -1
        : timer.waitedNanos(nowNanos, current.readTimeout(), deadlines().write());
  }

  /// Whether the client has sent what this server has just not come to read.
  boolean hasUnread() {
    return !timer.isWriting() && Sockets.hasUnread(context.serverSocket());
  }

  // what Helidon asks

  @Override
  public void handle(Limit limit) throws InterruptedException {
    timer.readWithin(deadlines().head());
    if (!wires.crowd().enter(this)) {
      return;
    }
    try {
      serveRequests(limit);
    } finally {
      try {
        serveSession();
      } finally {
        authenticated(); // or gone, which counts the same
        wires.crowd().leave(this);
      }
    }
  }

  private void serveRequests(Limit limit) throws InterruptedException {
    Exchange current = requireNonNull(exchange);
    try {
      current.serve(limit);
    } finally {
      if (session == null) {
        current.linger();
      }
      exchange = null;
      remotePeer = null;
      timer.readDone();
      if (session != null) {
        taken = taken(current.reader());
      }
    }
  }

  /// Runs even when the end of the request failed: a session that was promised the connection has
  /// to learn of its end.
  private void serveSession() {
    Consumer<TakenSocket> promised = session;
    session = null;
    TakenSocket socket = taken;
    if (promised != null && socket != null) {
      wires.crowd().taken();
      try {
        promised.accept(socket);
      } finally {
        wires.crowd().released();
        socket.giveBack();
      }
    }
  }

  private TakenSocket taken(DataReader requests) {
    SocketChannel channel = null;
    try {
      channel = Sockets.nonBlocking(context.serverSocket()).orElse(null);
    } catch (UncheckedIOException _) {
      // it is closed already, of which the session learns as soon as it writes
    }
    return new TakenSocket(this, channel, requests.available() > 0 ? requests : null);
  }

  @Override
  public Duration idleTime() {
    return Duration.ZERO; // the deadlines are stricter than Helidon's idle timer
  }

  @Override
  public void close(boolean interrupt) {
    Exchange current = exchange;
    if (current != null) {
      current.close(interrupt);
    } else if (interrupt) {
      abort();
    }
  }

  @Override
  public DataReader dataReader() {
    Exchange current = exchange;
    return current == null ? context.dataReader() : current.reader();
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
      known = new Peer(this, context.remotePeer()); // new each time, and asked for at each request
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

  /// What a request knows of its connection.
  private record Peer(Wire wire, PeerInfo info) implements PeerInfo {
    @Override
    public SocketAddress address() {
      return info.address();
    }

    @Override
    public String host() {
      return info.host();
    }

    @Override
    public int port() {
      return info.port();
    }

    @Override
    public Optional<Principal> tlsPrincipal() {
      return info.tlsPrincipal();
    }

    @Override
    public Optional<Certificate[]> tlsCertificates() {
      return info.tlsCertificates();
    }
  }
}
