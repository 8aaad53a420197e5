package dev.replistream.http.wire;

import dev.replistream.http.LongTurns;
import io.helidon.common.concurrency.limits.Limit;
import io.helidon.common.task.InterruptableTask;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Headers;
import io.helidon.http.Status;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.spi.ServerConnection;
import java.io.UncheckedIOException;
import java.time.Duration;
import org.jspecify.annotations.Nullable;

/// The exchange of requests and responses on a connection: where it stands, and what that means for
/// the next read. It brings Helidon's parser what it reads, and knows how long each read may take,
/// where a request certainly begins, and what is left of a body that was answered without it.
///
/// Confined to the connection's thread, but for {@link #close}, {@link #abort} and {@link
/// #readTimeout}.
final class Exchange {
  /// By how much each byte of a body puts its deadline off: a slow client that sends more than 16
  /// KiB a second gets through with a push of any size.
  private static final long NANOS_PER_BODY_BYTE = Duration.ofSeconds(1).toNanos() / (16 << 10);

  /// How long what is left of a body is read on after an answer that did not need it.
  private static final Duration LINGER = Duration.ofSeconds(2);

  /// How much is read of a body after the answer, also where the connection is kept: as much as a
  /// client had on its way when it was answered, and an upload of the largest push. Who goes on
  /// sending would else have this server read as fast as it can.
  private static final long MAX_DROPPED_BYTES = 32 << 20;

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

  private final Wire wire;
  private final IoTimer timer;
  private final Deadlines deadlines;
  private final WireReader reader;
  private final FastPath fastPath;
  private @Nullable ServerConnection parser;
  private Phase phase = Phase.NEW;
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
  private long bodyDueNanos;
  private volatile boolean takesNoMore;

  /// @param largestChunkBytes what a chunk may bring
  Exchange(Wire wire, int largestChunkBytes) {
    this.wire = wire;
    this.timer = wire.timer();
    this.deadlines = wire.deadlines();
    this.reader = new WireReader(this::read, this::isReadingPrologue, largestChunkBytes);
    this.fastPath = new FastPath(wire, this);
  }

  /// What reads the requests and runs their handlers. Set once, before anything else.
  void parseBy(ServerConnection helidons) {
    parser = helidons;
  }

  /// What the parser reads.
  WireReader reader() {
    return reader;
  }

  /// Serves requests until no more is to come.
  void serve(Limit limit) throws InterruptedException {
    ServerConnection connection = parser;
    if (connection != null) {
      connection.handle(limit);
    }
  }

  /// Reads no further request once the one under way is answered.
  void takeNoMore() {
    takesNoMore = true;
    ServerConnection connection = parser;
    if (connection != null) {
      connection.close(false); // ends the loop over requests, not the socket
    }
  }

  boolean takesNoMore() {
    return takesNoMore;
  }

  /// Ends the exchange after the request under way, or at once.
  void close(boolean interrupt) {
    takesNoMore = true;
    ServerConnection connection = parser;
    // while a known request is being answered, the thread at it goes on from here
    if (connection != null && (interrupt || !fastPath.isAnswering())) {
      connection.close(interrupt);
    }
  }

  /// Does what {@link #close} left to the thread that was at a known request.
  void closeIfTold() {
    if (takesNoMore) {
      takeNoMore();
    }
  }

  /// The socket was closed.
  void abort() {
    fastPath.abort();
  }

  /// How long the read that is under way may take. It may be off for a moment.
  Duration readTimeout() {
    return switch (phase) {
      case NEW, HEAD, REST -> deadlines.head();
      case IDLE -> deadlines.idle();
      case BODY -> deadlines.body();
    };
  }

  void headReceived(Headers headers) {
    phase = Phase.BODY;
    timer.readDone(); // a handler may take its time; each read of the body has a deadline
    bodyDueNanos = System.nanoTime() + deadlines.body().toNanos();
    boolean isChunked = reader.headRead(headers);
    contentLength = isChunked ? -1 : headers.contentLength().orElse(0);
    unreadBytes = isChunked ? Long.MAX_VALUE : contentLength - reader.available();
    closeIfLast(headers);
    if (isChunked && !headers.contains(HeaderNames.EXPECT)) {
      reader.awaitFirstChunk();
    }
  }

  void responseStarted(Status status) {
    hasNoContent =
        status.code() == Status.NO_CONTENT_204.code()
            || status.code() == Status.NOT_MODIFIED_304.code();
  }

  void responseStarted(Headers headers) {
    boolean isNothingOfHead = reader.isHead() && headers.contains(HeaderValues.CONTENT_LENGTH_ZERO);
    if ((hasNoContent || isNothingOfHead) && headers instanceof WritableHeaders<?> all) {
      // Helidon says 0, which a cache takes for the length of what it holds already, and which 204
      // must not have; of HEAD it has to be what GET would have (RFC 9110, section 8.6)
      all.remove(HeaderNames.CONTENT_LENGTH);
    }
    if (phase == Phase.BODY) { // after a head that failed, Helidon ends by itself
      closeIfLast(headers);
      atBoundary = reader.available() == 0;
    } else {
      unreadBytes = Long.MAX_VALUE; // nobody knows what is left of such a request
    }
    phase = Phase.IDLE;
    droppedBytes = 0;
  }

  /// RFC 9112, section 9.6: after `Connection: close` in either direction no further request is
  /// read. Helidon would go on, and take what is left of a refused body for the next request.
  private void closeIfLast(Headers headers) {
    if (!headers.contains(HeaderNames.CONNECTION)) {
      return;
    }
    for (String value : headers.get(HeaderNames.CONNECTION).allValues(true)) {
      if (value.equalsIgnoreCase("close")) {
        takeNoMore();
      }
    }
  }

  /// A request was answered that the parser has not seen.
  void answeredWithoutParser() {
    phase = Phase.IDLE;
    timer.readWithin(deadlines.idle());
  }

  /// Remembers how the request that has just been answered can be answered when it comes again.
  void remember(Headers responseHeaders, Repeats.Answer answer) {
    byte[] whole = request;
    if (whole != null && atBoundary && !takesNoMore) {
      wire.repeats().remember(whole, Math.toIntExact(contentLength), responseHeaders, answer);
    }
  }

  /// Whether the parser waits for a request, and not for what is left of a body.
  private boolean isReadingPrologue() {
    return parser instanceof InterruptableTask<?> task && task.canInterrupt();
  }

  private byte @Nullable [] read() {
    boolean isReadingPrologue = isReadingPrologue();
    boolean isBeginning =
        atBoundary && (phase == Phase.IDLE || phase == Phase.NEW) && isReadingPrologue;
    if (phase == Phase.REST && isReadingPrologue) {
      phase = Phase.IDLE;
    } else if (phase == Phase.IDLE && !isReadingPrologue) {
      phase = Phase.REST;
      bodyDueNanos = System.nanoTime() + deadlines.head().toNanos();
    }
    atBoundary = false;
    request = null; // not to be kept while the client is idle
    switch (phase) {
      case IDLE -> timer.readWithin(deadlines.idle());
      case NEW, HEAD -> {} // one deadline for the whole head, however it trickles in
      case BODY, REST -> timer.readBy(bodyDueNanos);
    }
    try {
      byte[] bytes =
          isBeginning ? fastPath.nextUnknown() : phase == Phase.REST ? nextDropped() : wire.next();
      request = isBeginning ? bytes : null;
      if (bytes == null && phase != Phase.IDLE && phase != Phase.NEW) {
        throw new CloseConnectionException("The client left within a request");
      }
      if (bytes != null && phase == Phase.BODY) {
        bodyDueNanos += bytes.length * NANOS_PER_BODY_BYTE;
      }
      if (bytes != null && phase != Phase.IDLE) {
        unreadBytes -= bytes.length;
      }
      if (phase == Phase.IDLE) {
        timer.readWithin(deadlines.head());
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
        timer.readDone();
      }
    }
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
    byte[] bytes = wire.next();
    droppedBytes += bytes == null ? 0 : bytes.length;
    return bytes;
  }

  /// Reads on what is left of a body that was answered without it: closed before, the connection
  /// would be reset, and the client might never see why (RFC 9112, section 9.6).
  void linger() {
    boolean isAnswered = phase == Phase.IDLE || phase == Phase.REST;
    boolean isAtEnd = contentLength < 0 && !reader.isWithinChunks();
    if (!isAnswered || unreadBytes <= 0 || isAtEnd) {
      return;
    }
    timer.readWithin(LINGER);
    try {
      Sockets.endOutput(wire.serverSocket());
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
}
