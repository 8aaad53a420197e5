package dev.replistream.http.wire;

import dev.replistream.http.ClientAddresses;
import dev.replistream.http.LongTurns;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.common.task.InterruptableTask;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Headers;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.ProxyProtocolData;
import io.helidon.webserver.Router;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.spi.ServerConnection;
import java.io.IOException;
import java.io.InterruptedIOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.SocketAddress;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.SocketChannel;
import java.security.Principal;
import java.security.cert.Certificate;
import java.time.Duration;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
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
/// thread; {@link #abort} may be called by any.
///
/// The socket of a taken connection does not block: whoever has something for the client can write
/// it on its own thread ({@link #writeNow}), and one thread sees all clients leave.
public final class Wire implements ServerConnection, ConnectionContext {
  private static final long NEVER = Long.MAX_VALUE;

  /// How long a write waits before it tries again: a client that stops reading costs little.
  private static final Duration SHORTEST_PAUSE = Duration.ofMillis(1);

  private static final Duration LONGEST_PAUSE = Duration.ofMillis(64);

  /// So many known requests in a row bring a connection into the loop.
  private static final int MANY = 16;

  /// By how much each byte of a body puts its deadline off: a slow client that sends more than 16
  /// KiB a second gets through with a push of any size.
  private static final long NANOS_PER_BODY_BYTE = Duration.ofSeconds(1).toNanos() / (16 << 10);

  /// How long what is left of a body is read on after an answer that did not need it.
  private static final Duration LINGER = Duration.ofSeconds(2);

  /// How much is read of a body after the answer, also where the connection is kept: as much as a
  /// client had on its way when it was answered, and an upload of the largest push. Who goes on
  /// sending would else have this server read as fast as it can.
  private static final long MAX_DROPPED_BYTES = 32 << 20;

  /// Where the exchange of requests stands, which decides how long a read may take.
  private enum Phase {
    /// No byte has come yet: the whole head is due, counted from the beginning of the connection.
    NEW,
    /// Between requests: waiting for the first byte of the next one.
    IDLE,
    /// Bytes of a request's head have come.
    HEAD,
    /// The head is complete; reads belong to the body.
    BODY,
    /// The request is answered; reads belong to what is left of its body, which is dropped.
    REST,
  }

  private final ConnectionContext context;
  private final Wires wires;
  private final DataWriter writer = new DeadlineWriter();
  private @Nullable ServerConnection http1;
  private @Nullable WireReader reader;
  private @Nullable PeerInfo remotePeer;
  private @Nullable Consumer<Wire> session;
  // the socket itself, while a session has it and it does not block
  private volatile @Nullable SocketChannel channel;
  private final AtomicReference<@Nullable Consumer<End>> endListener = new AtomicReference<>();
  private Phase phase = Phase.NEW;
  // where it counts as long as no request on it was authenticated
  private volatile @Nullable InetAddress strangerOf;
  // whether all that was read belongs to requests that were read to their ends
  private boolean atBoundary = true;
  // the request under way, as long as one read has brought all that there is of it
  private byte @Nullable [] request;
  private long contentLength;
  // whether the response under way is one that never has a body, nor a length
  private boolean hasNoContent;
  // how much of the body has not been read from the socket, at the most
  private long unreadBytes;
  // how much of it has been read since the answer
  private long droppedBytes;
  private final RepeatGuest repeats = new RepeatGuest();
  private volatile @Nullable CompletableFuture<RepeatLoop.Leave> inLoop;
  private volatile boolean answeringRepeat;
  private volatile boolean takesNoMore;
  private long bodyDeadlineNanos;
  // when the blocked read or write is overdue, by System.nanoTime
  private volatile long readDeadlineNanos = NEVER;
  private volatile long writeDeadlineNanos = NEVER;
  private volatile boolean timedOut;

  Wire(ConnectionContext context, Wires wires) {
    this.context = context;
    this.wires = wires;
    this.reader = new WireReader(this::read, this::isReadingPrologue, wires.largestChunkBytes());
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
    takesNoMore = true;
    ServerConnection connection = http1;
    if (connection != null) {
      connection.close(false); // ends the loop over requests, not the socket
    }
  }

  /// Writes `bytes` at once, in one call to the socket, and waits while the client does not read.
  ///
  /// @throws UncheckedIOException when the client is gone, or did not read for the write timeout
  public void write(byte[] bytes) {
    write(bytes, 0);
  }

  /// Writes what is left of `bytes` from `offset` on, as {@link #write(byte[])} does.
  public void write(byte[] bytes, int offset) {
    writeDeadlineNanos = System.nanoTime() + wires.deadlines().write().toNanos();
    try {
      SocketChannel own = channel;
      if (own == null) {
        context.dataWriter().writeNow(BufferData.create(bytes, offset, bytes.length - offset));
      } else {
        writeWaiting(own, ByteBuffer.wrap(bytes, offset, bytes.length - offset));
      }
    } finally {
      writeDeadlineNanos = NEVER;
    }
  }

  private static void writeWaiting(SocketChannel channel, ByteBuffer bytes) {
    Duration pause = SHORTEST_PAUSE;
    while (write(channel, bytes) < 0 || bytes.hasRemaining()) {
      LockSupport.parkNanos(pause.toNanos());
      pause = pause.compareTo(LONGEST_PAUSE) < 0 ? pause.multipliedBy(2) : pause;
    }
  }

  private static int write(SocketChannel channel, ByteBuffer bytes) {
    try {
      return channel.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Writes as much of `bytes` as takes no waiting. Any one thread may call it, if no other writes
  /// at the same time.
  ///
  /// @return how many bytes were written: none where the connection can only be written to by
  ///   waiting
  /// @throws UncheckedIOException when the client is gone
  public int writeNow(byte[] bytes) {
    SocketChannel own = channel;
    return own == null ? 0 : write(own, ByteBuffer.wrap(bytes));
  }

  /// Tells `onEnd` once how the connection ends: the client closes it, or {@link #abort} does. Then
  /// the socket is closed, which frees a write that waits. Bytes that the client sends meanwhile
  /// are dropped. `onEnd` must not wait.
  public void watchEnd(Consumer<End> onEnd) {
    reader = null;
    beWatched(onEnd, failure -> ended(endOf(failure)));
  }

  /// Does as {@link #watchEnd} does, and hands what the client sends to `onBytes` instead of
  /// dropping it. The bytes are `onBytes`' during its call only; it is called by one thread at a
  /// time and must not wait either.
  public void watch(Consumer<ByteBuffer> onBytes, Consumer<End> onEnd) {
    DataReader ahead = reader;
    reader = null;
    if (ahead != null && ahead.available() > 0) {
      onBytes.accept(ByteBuffer.wrap(ahead.readBuffer(ahead.available()).readBytes()));
    }
    beWatched(
        onEnd,
        new EndWatch.Guest() {
          @Override
          public void received(ByteBuffer bytes) {
            onBytes.accept(bytes);
          }

          @Override
          public void ended(Optional<UncheckedIOException> failure) {
            Wire.this.ended(endOf(failure));
          }
        });
  }

  private void beWatched(Consumer<End> onEnd, EndWatch.Guest guest) {
    endListener.set(onEnd);
    SocketChannel own = channel;
    if (own == null) {
      Thread.ofVirtual().start(() -> readToEnd(guest));
    } else {
      wires.endWatch().watch(own, guest);
    }
  }

  private void ended(End end) {
    Consumer<End> listener = endListener.getAndSet(null);
    if (listener != null) {
      listener.accept(end);
      abort();
    }
  }

  private void readToEnd(EndWatch.Guest guest) {
    Optional<UncheckedIOException> failure = Optional.empty();
    try {
      for (byte[] bytes = context.serverSocket().get();
          bytes != null;
          bytes = context.serverSocket().get()) {
        guest.received(ByteBuffer.wrap(bytes));
      }
    } catch (UncheckedIOException e) {
      failure = Optional.of(e);
    }
    guest.ended(failure);
  }

  private End endOf(Optional<UncheckedIOException> failure) {
    return timedOut
        ? End.OVERDUE
        : failure.filter(Wire::isVanished).isPresent() ? End.VANISHED : End.CLOSED;
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
    if (channel != null) {
      wires.endWatch().release(); // till then the kernel holds the socket
    }
    CompletableFuture<RepeatLoop.Leave> looping = inLoop;
    if (looping != null) {
      looping.completeExceptionally(new ClosedChannelException());
      wires.releaseLoops();
    }
    ended(endOf(Optional.empty()));
  }

  /// Notes that the connection which carries `request` is no stranger's any more: it has shown a
  /// good credential.
  public static void authenticated(ServerRequest request) {
    if (request.remotePeer() instanceof Peer peer) {
      peer.wire.authenticated();
    }
  }

  private void authenticated() {
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
    if (http1 == null) {
      return -1;
    }
    Deadlines deadlines = wires.deadlines();
    long writeDeadline = writeDeadlineNanos;
    if (writeDeadline != NEVER) {
      return deadlines.write().toNanos() - (writeDeadline - nowNanos);
    }
    long readDeadline = readDeadlineNanos;
    if (readDeadline == NEVER) {
      return -1;
    }
    Duration timeout =
        switch (phase) {
          case NEW, HEAD -> deadlines.head();
          case IDLE -> deadlines.idle();
          case BODY -> deadlines.body();
          case REST -> deadlines.head();
        };
    return Math.max(0, timeout.toNanos() - (readDeadline - nowNanos));
  }

  /// Whether the client has sent what this server has just not come to read.
  boolean hasUnread() {
    return writeDeadlineNanos == NEVER && Sockets.hasUnread(context.serverSocket());
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
    WireReader own = Objects.requireNonNull(reader);
    boolean isChunked = own.headRead(headers);
    contentLength = isChunked ? -1 : headers.contentLength().orElse(0);
    unreadBytes = isChunked ? Long.MAX_VALUE : contentLength - own.available();
    closeIfLast(headers);
    if (isChunked && !headers.contains(HeaderNames.EXPECT)) {
      own.awaitFirstChunk();
    }
  }

  void responseStarted(Status status) {
    hasNoContent =
        status.code() == Status.NO_CONTENT_204.code()
            || status.code() == Status.NOT_MODIFIED_304.code();
  }

  void responseStarted(Headers headers) {
    if ((hasNoContent || isNothingOfHead(headers)) && headers instanceof WritableHeaders<?> all) {
      // Helidon says 0, which a cache takes for the length of what it holds already, and which 204
      // must not have; of HEAD it has to be what GET would have (RFC 9110, section 8.6)
      all.remove(HeaderNames.CONTENT_LENGTH);
    }
    if (phase == Phase.BODY) { // after a head that failed, Helidon ends by itself
      closeIfLast(headers);
      atBoundary = dataReader().available() == 0;
    } else {
      unreadBytes = Long.MAX_VALUE; // nobody knows what is left of such a request
    }
    phase = Phase.IDLE;
    droppedBytes = 0;
  }

  private boolean isNothingOfHead(Headers headers) {
    WireReader own = reader;
    return own != null && own.isHead() && headers.contains(HeaderValues.CONTENT_LENGTH_ZERO);
  }

  /// Remembers how the request that has just been answered can be answered when it comes again.
  void remember(Headers responseHeaders, Repeats.Answer answer) {
    byte[] whole = request;
    if (whole != null && atBoundary && !takesNoMore) {
      wires.repeats().remember(whole, Math.toIntExact(contentLength), responseHeaders, answer);
    }
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
    boolean isReadingPrologue = isReadingPrologue();
    boolean isBeginning =
        atBoundary && (phase == Phase.IDLE || phase == Phase.NEW) && isReadingPrologue;
    if (phase == Phase.REST && isReadingPrologue) {
      phase = Phase.IDLE;
    } else if (phase == Phase.IDLE && !isReadingPrologue) {
      phase = Phase.REST;
      bodyDeadlineNanos = System.nanoTime() + deadlines.head().toNanos();
    }
    atBoundary = false;
    request = null; // not to be kept while the client is idle
    switch (phase) {
      case IDLE -> readDeadlineNanos = System.nanoTime() + deadlines.idle().toNanos();
      case NEW, HEAD -> {} // one deadline for the whole head, however it trickles in
      case BODY, REST -> readDeadlineNanos = bodyDeadlineNanos;
    }
    try {
      byte[] bytes = isBeginning ? nextUnknown() : phase == Phase.REST ? nextDropped() : next();
      request = isBeginning ? bytes : null;
      if (bytes == null && phase != Phase.IDLE && phase != Phase.NEW) {
        throw new CloseConnectionException("The client left within a request");
      }
      if (bytes != null && phase == Phase.BODY) {
        bodyDeadlineNanos += bytes.length * NANOS_PER_BODY_BYTE;
      }
      if (bytes != null && phase != Phase.IDLE) {
        unreadBytes -= bytes.length;
      }
      if (phase == Phase.IDLE) {
        readDeadlineNanos = System.nanoTime() + deadlines.head().toNanos();
      }
      if (phase == Phase.IDLE || phase == Phase.NEW) {
        phase = Phase.HEAD;
        unreadBytes = 0;
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

  /// Whether the parser waits for a request, and not for what is left of a body.
  private boolean isReadingPrologue() {
    return http1 instanceof InterruptableTask<?> parser && parser.canInterrupt();
  }

  /// Answers the requests that are known, and returns the beginning of the first that is not.
  private byte @Nullable [] nextUnknown() {
    byte[] bytes = next();
    for (int known = 1; bytes != null && answerRepeat(bytes); known++) {
      bytes = known % MANY == 0 ? nextFromLoop() : next();
    }
    return bytes;
  }

  private boolean answerRepeat(byte[] bytes) {
    byte[] response = repeats.answer(bytes);
    if (response != null) {
      writer.writeNow(BufferData.create(response));
      repeats.answered();
    }
    return response != null;
  }

  /// Rests while the loop answers what is known, and returns what it leaves.
  private byte @Nullable [] nextFromLoop() {
    SocketChannel open = Sockets.nonBlocking(context.serverSocket()).orElse(null);
    if (open == null) {
      return next();
    }
    CompletableFuture<RepeatLoop.Leave> whenLeaving = new CompletableFuture<>();
    inLoop = whenLeaving;
    try {
      wires.repeatLoop().serve(open, repeats, whenLeaving);
      RepeatLoop.Leave leave = whenLeaving.get();
      open.configureBlocking(true);
      byte[] unsent = leave.unsent();
      if (unsent == null) {
        return leave.request();
      }
      writer.writeNow(BufferData.create(unsent));
      repeats.answered();
      return next();
    } catch (InterruptedException e) {
      abort();
      Thread.currentThread().interrupt();
      throw new UncheckedIOException(new InterruptedIOException("The server is closing"));
    } catch (ExecutionException e) {
      throw new UncheckedIOException(new IOException(e.getCause()));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    } finally {
      inLoop = null;
    }
  }

  /// How known requests are answered, by the connection's thread or by the loop's.
  private final class RepeatGuest implements RepeatLoop.Guest {
    @Override
    public byte @Nullable [] answer(byte[] bytes) {
      answeringRepeat = true;
      long deadlineNanos = readDeadlineNanos;
      readDeadlineNanos = NEVER; // the client has sent what it had to
      byte[] response = takesNoMore ? null : wires.repeats().answer(bytes);
      answeringRepeat = response != null;
      if (response == null) {
        readDeadlineNanos = deadlineNanos;
      } else {
        authenticated();
      }
      return response;
    }

    @Override
    public void answered() {
      phase = Phase.IDLE;
      readDeadlineNanos = System.nanoTime() + wires.deadlines().idle().toNanos();
      answeringRepeat = false;
      if (takesNoMore) {
        takeNoMoreRequests(); // which close left to this thread
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

  /// Reads on in a body that was answered already.
  ///
  /// @throws CloseConnectionException when enough of it was read
  private byte @Nullable [] nextDropped() {
    if (droppedBytes >= MAX_DROPPED_BYTES) {
      throw new CloseConnectionException("The client goes on sending what was answered");
    }
    LongTurns.take(); // so that many of these leave carriers to others
    LongTurns.end();
    byte[] bytes = next();
    droppedBytes += bytes == null ? 0 : bytes.length;
    return bytes;
  }

  @Override
  public void handle(Limit limit) throws InterruptedException {
    readDeadlineNanos = System.nanoTime() + wires.deadlines().head().toNanos();
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
    try {
      ServerConnection connection = http1;
      if (connection != null) {
        try {
          connection.handle(limit);
        } finally {
          linger();
        }
      }
    } finally {
      http1 = null;
      if (session == null || dataReader().available() == 0) {
        reader = null; // else it has what came behind the request, which is the session's
      }
      request = null;
      remotePeer = null;
      readDeadlineNanos = NEVER;
    }
  }

  /// Reads on what is left of a body that was answered without it: closed before, the connection
  /// would be reset, and the client might never see why (RFC 9112, section 9.6).
  private void linger() {
    boolean isAnswered = phase == Phase.IDLE || phase == Phase.REST;
    WireReader own = reader;
    boolean isAtEnd = contentLength < 0 && own != null && !own.isWithinChunks();
    if (session != null || !isAnswered || unreadBytes <= 0 || isAtEnd) {
      return;
    }
    readDeadlineNanos = System.nanoTime() + LINGER.toNanos();
    try {
      Sockets.endOutput(context.serverSocket());
      while (unreadBytes > 0) {
        byte[] bytes = nextDropped();
        if (bytes == null) {
          return;
        }
        unreadBytes -= bytes.length;
      }
    } catch (UncheckedIOException | CloseConnectionException _) {
      // the client is gone, or goes on for too long
    }
  }

  /// Runs even when the end of the request failed: a session that was promised the connection has
  /// to learn of its end.
  private void serveSession() {
    Consumer<Wire> taken = session;
    session = null;
    if (taken != null) {
      try {
        channel = Sockets.nonBlocking(context.serverSocket()).orElse(null);
      } catch (UncheckedIOException _) {
        // it is closed already, of which the session learns as soon as it writes
      }
      wires.crowd().taken();
      try {
        taken.accept(this);
      } finally {
        wires.crowd().released();
        SocketChannel own = channel;
        if (own != null) {
          wires.endWatch().forget(own);
        }
      }
    }
  }

  @Override
  public Duration idleTime() {
    return Duration.ZERO; // the deadlines above are stricter than Helidon's idle timer
  }

  @Override
  public void close(boolean interrupt) {
    takesNoMore = true;
    if (answeringRepeat && !interrupt) {
      return; // an answer is under way, and the thread at it goes on from here
    }
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
