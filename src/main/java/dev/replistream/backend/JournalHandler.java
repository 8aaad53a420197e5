package dev.replistream.backend;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.Journal;
import dev.replistream.data.JournalStore;
import dev.replistream.data.JournalStore.Placed;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Session;
import dev.replistream.http.LongAnswers;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.http.ReadTurns;
import dev.replistream.http.wire.TakenSocket;
import dev.replistream.http.wire.Takeover;
import io.helidon.http.HeaderNames;
import io.helidon.http.HttpMediaType;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Semaphore;
import java.util.function.Predicate;

/// `GET /journal`: what was applied or rejected, in the order of the commits, as lines or as a
/// stream that goes on. Thread-safe.
public final class JournalHandler implements Handler, AutoCloseable {
  private static final int USUAL_LINES = 1_000;
  private static final int MOST_LINES = 10_000;
  private static final long MOST_BYTES = 4 << 20;

  /// How much of the lines is in memory at a time for each reader, and one line more.
  private static final long PART_BYTES = 128 << 10;

  private static final byte[] END_OF_LINE = {'\n'};

  /// How many streams a node serves at a time: each looks into the database once a second.
  private static final int MOST_STREAMS = 16;

  /// How late a stream learns of what another node has committed.
  private static final Duration LOOK = Duration.ofSeconds(1);

  private static final Duration PING = Duration.ofSeconds(15);
  private static final byte[] PING_FRAME = ascii(":\n\n");
  private static final HttpMediaType EVENTS = HttpMediaType.create("text/event-stream");

  private static final byte[] HEAD =
      ascii(
          """
          HTTP/1.1 200 OK\r
          Content-Type: text/event-stream\r
          Cache-Control: no-cache, no-transform\r
          Connection: keep-alive\r
          X-Accel-Buffering: no\r
          \r
          retry: 2000

          """);

  private final Authenticator authenticator;
  private final Database database;
  private final Journal journal;
  private final LongAnswers answers;
  private final ReadTurns turns;
  private final Predicate<Caller> isRevoked;
  private final Clock clock;
  private final Semaphore streams = new Semaphore(MOST_STREAMS);
  private final Set<TakenSocket> open = ConcurrentHashMap.newKeySet();
  private volatile boolean isClosing;

  /// @param turns of those who read much
  /// @param isRevoked whether a caller's token was revoked
  public JournalHandler(
      Authenticator authenticator,
      Database database,
      Journal journal,
      LongAnswers answers,
      ReadTurns turns,
      Predicate<Caller> isRevoked,
      Clock clock) {
    this.authenticator = authenticator;
    this.database = database;
    this.journal = journal;
    this.answers = answers;
    this.turns = turns;
    this.isRevoked = isRevoked;
    this.clock = clock;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    if (!Access.isReader(caller)) {
      throw Caller.needsScope("Reading the journal", Caller.READ_SCOPE);
    }
    if (!journal.isKept()) {
      throw Problem.of(
              Status.NOT_FOUND_404, "No journal is kept: set replistream.journal.retention.")
          .toException();
    }
    Query query = Query.of(request, "after", "limit");
    OptionalLong after = query.number("after", 0, Query.MOST);
    int limit = (int) query.number("limit", 1, MOST_LINES).orElse(USUAL_LINES);
    boolean isStream =
        request.headers().acceptedTypes().stream().anyMatch(type -> type.equals(EVENTS));
    if (isStream) {
      OptionalLong last = lastEventId(request);
      OptionalLong seen = last.isPresent() ? last : after;
      long from = Access.orProblem(() -> inOrder(store -> begin(store, seen)));
      stream(caller, from, response);
    } else {
      lines(caller, after, limit, request, response);
    }
  }

  /// However many readers take their time, what waits for them in memory is bounded.
  private void lines(
      Caller caller,
      OptionalLong after,
      int limit,
      ServerRequest request,
      ServerResponse response) {
    Access.orProblem(() -> {
      answers.send(
          caller.userId(),
          EntryForm.LINES.contentType(),
          chunks ->
              turns.take(
                  caller.userId(),
                  () -> {
                    chunks.requireRoom();
                    return inOrder(store -> {
                      chunks.begin();
                      return write(store, begin(store, after), limit, chunks);
                    });
                  }),
          _ -> {},
          request,
          response);
      return caller;
    });
  }

  /// Writes lines behind a place, a part of them at a time.
  ///
  /// @return how many
  private static int write(JournalStore store, long after, int limit, OutputStream out)
      throws SQLException {
    int count = 0;
    long bytes = 0;
    long last = after;
    List<Placed> part = store.read(last, limit, PART_BYTES);
    while (!part.isEmpty()) {
      for (Placed line : part) {
        write(line, out);
        write(END_OF_LINE, out);
        bytes += line.json().length;
      }
      count += part.size();
      last = part.getLast().place();
      part =
          count < limit && bytes < MOST_BYTES
              ? store.read(last, limit - count, PART_BYTES)
              : List.of();
    }
    return count;
  }

  private static OptionalLong lastEventId(ServerRequest request) {
    Optional<String> id = request.headers().first(HeaderNames.create("Last-Event-ID"));
    if (id.isPresent() && !id.get().matches("[0-9]{1,18}")) {
      throw Access.bad("Last-Event-ID is the id of the last event that you have.");
    }
    return id.stream().mapToLong(Long::parseLong).findFirst();
  }

  private static void write(Placed line, OutputStream out) {
    write(ascii("{\"seq\":" + line.place() + ","), out);
    write(Arrays.copyOfRange(line.json(), 1, line.json().length), out);
  }

  private static void write(byte[] bytes, OutputStream out) {
    try {
      out.write(bytes);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Where a reader goes on.
  ///
  /// @param after the place that they have read last; empty for those who begin
  /// @throws ProblemException 410 when what comes next is not kept any more
  private static long begin(JournalStore store, OptionalLong after) throws SQLException {
    long floor = store.floor();
    if (after.isPresent() && (after.getAsLong() < floor || after.getAsLong() > store.given())) {
      throw Problem.of(
              Status.GONE_410,
              "The journal does not go back to that line any more, or never came to it: read the entries anew, and begin without after.")
          .toException();
    }
    return after.orElse(floor);
  }

  /// A look into the journal.
  @FunctionalInterface
  private interface Look<T> {
    T at(JournalStore store) throws SQLException;
  }

  /// Looks into the journal, in which every line that is committed has its place.
  private <T> T inOrder(Look<T> look) {
    if (database.inSnapshot(session -> new JournalStore(session).hasToPlace())) {
      while (database.<Integer>inTransaction(session -> new JournalStore(session).place()) > 0) {
        // there are more
      }
    }
    return database.inSnapshot((Session session) -> look.at(new JournalStore(session)));
  }

  private void stream(Caller caller, long from, ServerResponse response) {
    if (isClosing || !streams.tryAcquire()) {
      throw Problem.of(
              Status.SERVICE_UNAVAILABLE_503,
              "This node streams the journal to %s readers already, or stops: come again."
                  .formatted(MOST_STREAMS))
          .with(HeaderNames.RETRY_AFTER, "5")
          .toException();
    }
    boolean isStarted = false;
    try {
      Takeover.start(response, socket -> serve(caller, from, socket));
      isStarted = true;
    } finally {
      if (!isStarted) {
        streams.release();
      }
    }
  }

  private void serve(Caller caller, long from, TakenSocket socket) {
    open.add(socket);
    try {
      socket.watchEnd(_ -> open.remove(socket));
      socket.write(HEAD);
      follow(caller, from, socket);
    } catch (UncheckedIOException _) {
      // the reader has left
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      open.remove(socket);
      streams.release();
    }
  }

  private void follow(Caller caller, long from, TakenSocket socket) throws InterruptedException {
    long last = from;
    long wroteNanos = System.nanoTime();
    while (open.contains(socket) && isGood(caller)) {
      long growths = journal.growths();
      List<Placed> lines = readIfThere(last);
      if (!lines.isEmpty()) {
        ByteArrayOutputStream frames = new ByteArrayOutputStream();
        for (Placed line : lines) {
          frames.writeBytes(ascii("id: " + line.place() + "\ndata: "));
          write(line, frames);
          frames.writeBytes(ascii("\n\n"));
        }
        socket.write(frames.toByteArray());
        last = lines.getLast().place();
        wroteNanos = System.nanoTime();
        continue;
      }
      if (System.nanoTime() - wroteNanos >= PING.toNanos()) {
        socket.write(PING_FRAME);
        wroteNanos = System.nanoTime();
      }
      journal.awaitMore(growths, LOOK);
    }
  }

  /// Lines behind a place; none while the database is away, which tells the log itself.
  private List<Placed> readIfThere(long after) {
    try {
      return inOrder(store -> store.read(after, USUAL_LINES, PART_BYTES));
    } catch (DatabaseUnavailableException _) {
      return List.of();
    }
  }

  private boolean isGood(Caller caller) {
    return !isClosing && clock.instant().isBefore(caller.expiresAt()) && !isRevoked.test(caller);
  }

  /// Ends all streams; their readers come back with what they have seen.
  @Override
  public void close() {
    isClosing = true;
    open.forEach(TakenSocket::abort);
  }
}
