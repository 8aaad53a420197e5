package dev.replistream.stream;

import dev.replistream.EventStreamParser;
import dev.replistream.HttpConnection;
import dev.replistream.ServerSentEvent;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.socket.HelidonSocket;
import io.helidon.common.socket.PeerInfo;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.Router;
import java.io.UncheckedIOException;
import java.net.SocketException;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Optional;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/// Both ends of a connection that goes through this process's memory instead of the network: the
/// server's as Helidon would show it, and that of the client of a stream. What the client has not
/// read when it closes is lost.
final class MemoryConnection
    implements ConnectionContext, HelidonSocket, DataWriter, SyncScenario.Stream {
  private static final byte[] END = {};

  private final BlockingQueue<byte[]> bytes = new LinkedBlockingQueue<>();
  private final BlockingQueue<byte[]> sent = new LinkedBlockingQueue<>();
  private final CountDownLatch closed = new CountDownLatch(1);
  private final Semaphore writes = new Semaphore(1);
  private final Optional<RuntimeException> ending;
  private volatile boolean isReading;
  private volatile Optional<RuntimeException> writeFailure = Optional.empty();
  private final EventStreamParser parser = new EventStreamParser();
  private final Deque<ServerSentEvent> events = new ArrayDeque<>();

  /// A connection whose client closes it with a FIN.
  MemoryConnection() {
    this.ending = Optional.empty();
  }

  /// A connection whose end is told to the server by `ending`.
  MemoryConnection(RuntimeException ending) {
    this.ending = Optional.of(ending);
  }

  /// What the JDK throws when a connection ends.
  static RuntimeException socketFailure(String message) {
    return new UncheckedIOException(new SocketException(message));
  }

  // the client's end

  @Override
  public @Nullable ServerSentEvent poll(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    while (events.isEmpty()) {
      byte[] next;
      try {
        next = bytes.poll(deadline - System.nanoTime(), TimeUnit.NANOSECONDS);
      } catch (InterruptedException e) {
        throw new AssertionError(e);
      }
      if (next == null) {
        return null;
      }
      events.addAll(parser.feed(next, 0, next.length));
    }
    return events.poll();
  }

  /// The bytes of the server's next write.
  byte[] nextWrite() {
    try {
      byte[] next = bytes.poll(HttpConnection.PATIENCE.toSeconds(), TimeUnit.SECONDS);
      if (next == null) {
        throw new AssertionError("the server wrote nothing");
      }
      return next;
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
  }

  /// Sends bytes to the server.
  void send(byte[] message) {
    sent.add(message);
  }

  /// Whether the server has read all that was sent, and wants more.
  boolean isReadToItsEnd() {
    return sent.isEmpty() && isReading;
  }

  /// What the last `retry:` that was read said, in milliseconds.
  long reconnectionMillis() {
    return parser.reconnectionMillis();
  }

  /// Lets the server's writes fail from now on, while reads know of nothing.
  void failWritesWith(RuntimeException failure) {
    writeFailure = Optional.of(failure);
  }

  /// Lets the server's writes block, as a full buffer does.
  void holdWrites() {
    writes.acquireUninterruptibly();
  }

  /// Lets them go on.
  void releaseWrites() {
    writes.release();
  }

  /// Whether a write of the server waits for {@link #releaseWrites}.
  boolean isBlocked() {
    return writes.hasQueuedThreads();
  }

  /// Whether either end was closed.
  boolean hasEnded() {
    return closed.getCount() == 0;
  }

  @Override
  public void close() {
    closed.countDown();
    sent.add(END);
  }

  // the server's end

  @Override
  public byte @Nullable [] get() {
    try {
      isReading = true;
      byte[] next = sent.take();
      isReading = false;
      if (next.length > 0) {
        return next;
      }
    } catch (InterruptedException e) {
      throw new AssertionError(e);
    }
    if (ending.isPresent()) {
      throw ending.get();
    }
    return null;
  }

  @Override
  @SuppressWarnings("ThreadPriorityCheck") // the point is to try other orders of events
  public void writeNow(BufferData buffer) {
    Thread.yield();
    writes.acquireUninterruptibly();
    try {
      if (writeFailure.isPresent()) {
        throw writeFailure.get();
      }
      if (hasEnded()) {
        throw socketFailure("Broken pipe");
      }
      bytes.add(buffer.readBytes());
    } finally {
      writes.release();
    }
    Thread.yield();
  }

  @Override
  public HelidonSocket serverSocket() {
    return this;
  }

  @Override
  public DataWriter dataWriter() {
    return this;
  }

  @Override
  public boolean isConnected() {
    return !hasEnded();
  }

  // what a stream has no use for

  @Override
  public void writeNow(BufferData... buffers) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void write(BufferData... buffers) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void write(BufferData buffer) {
    throw new UnsupportedOperationException();
  }

  @Override
  @Deprecated
  @SuppressWarnings("removal") // abstract in Helidon 4
  public int read(BufferData buffer) {
    throw new UnsupportedOperationException();
  }

  @Override
  public void idle() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ListenerContext listenerContext() {
    throw new UnsupportedOperationException();
  }

  @Override
  public ExecutorService executor() {
    throw new UnsupportedOperationException();
  }

  @Override
  public DataReader dataReader() {
    throw new UnsupportedOperationException();
  }

  @Override
  public Router router() {
    throw new UnsupportedOperationException();
  }

  @Override
  public PeerInfo remotePeer() {
    throw new UnsupportedOperationException();
  }

  @Override
  public PeerInfo localPeer() {
    throw new UnsupportedOperationException();
  }

  @Override
  public boolean isSecure() {
    return false;
  }

  @Override
  public String socketId() {
    return "memory";
  }

  @Override
  public String childSocketId() {
    return "memory";
  }
}
