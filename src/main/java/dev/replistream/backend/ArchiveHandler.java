package dev.replistream.backend;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.ArchiveReader;
import dev.replistream.data.ArchiveReader.BadLineException;
import dev.replistream.data.ArchiveReader.Rows;
import dev.replistream.data.ArchiveWriter;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.StatementFailedException;
import dev.replistream.http.Bodies;
import dev.replistream.http.Problem;
import dev.replistream.http.Routes;
import dev.replistream.http.SampledLog;
import dev.replistream.json.Json;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.time.Clock;
import java.util.concurrent.Semaphore;
import java.util.function.Supplier;

/// `GET /export` and `POST /import`: all that the database holds, as lines. One of either at a
/// time. Thread-safe.
public final class ArchiveHandler {
  private static final int BUFFER_BYTES = 64 << 10;

  /// How long a line may be beside the value in it.
  private static final int REST_OF_LINE_BYTES = 64 << 10;

  private static final int ROWS_AT_ONCE = 5_000;
  private static final int BYTES_AT_ONCE = 4 << 20;

  private final SampledLog log = new SampledLog(System.getLogger(ArchiveHandler.class.getName()));
  private final Authenticator authenticator;
  private final Database database;
  private final int maxLineBytes;
  private final Clock clock;
  private final Semaphore turn = new Semaphore(1);

  /// A handler for `database`.
  ///
  /// @param maxValueBytes how long a value may be
  public ArchiveHandler(
      Authenticator authenticator, Database database, int maxValueBytes, Clock clock) {
    this.authenticator = authenticator;
    this.database = database;
    maxLineBytes = (int) Math.min(Integer.MAX_VALUE, (long) maxValueBytes + REST_OF_LINE_BYTES);
    this.clock = clock;
  }

  /// `GET /export`. It is read while it is written: a slow reader holds a snapshot of the database,
  /// and is cut off where it takes nothing for the write timeout.
  public void export(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Access.requireWriter(caller, "An export");
    Query.of(request);
    var _ =
        alone(() -> {
          response.header(EntryForm.LINES.contentType());
          response.header(Routes.NO_STORE);
          Lazy out = new Lazy(response);
          try {
            long lines =
                database.inSnapshot(session -> {
                  BufferedOutputStream buffer = new BufferedOutputStream(out, BUFFER_BYTES);
                  long written = new ArchiveWriter(session, buffer).write(clock.instant());
                  flush(buffer);
                  return written;
                });
            out.close();
            return lines;
          } catch (DatabaseUnavailableException e) {
            if (!out.hasBegun()) {
              throw e;
            }
            throw cut(e);
          } catch (UncheckedIOException | IOException e) {
            throw cut(e);
          }
        });
  }

  private static void flush(OutputStream out) {
    try {
      out.flush();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private CloseConnectionException cut(Exception e) {
    log.log(Level.WARNING, "answer-cut", () -> "event=answer-cut", e);
    return new CloseConnectionException("The export can't be ended", e);
  }

  /// The body of a response, whose head goes out with the first of it.
  private static final class Lazy extends OutputStream {
    private final ServerResponse response;
    private OutputStream out = nullOutputStream();
    private boolean hasBegun;

    Lazy(ServerResponse response) {
      this.response = response;
    }

    boolean hasBegun() {
      return hasBegun;
    }

    @Override
    public void write(int one) throws IOException {
      write(new byte[] {(byte) one}, 0, 1);
    }

    @Override
    public void write(byte[] bytes, int offset, int length) throws IOException {
      if (!hasBegun) {
        hasBegun = true;
        out = response.outputStream();
      }
      out.write(bytes, offset, length);
    }

    @Override
    public void close() throws IOException {
      out.close();
    }
  }

  /// `POST /import`: into a database with nothing in it, or with what an earlier import has left.
  public void take(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Access.requireWriter(caller, "An import");
    Query.of(request);
    long lines = alone(() -> read(request));
    Routes.sendJson(
        response,
        Json.write(json -> {
          json.writeStartObject();
          json.writeNumberField("lines", lines);
          json.writeEndObject();
        }));
  }

  private long read(ServerRequest request) {
    boolean mayBegin = database.<Boolean>inTransaction(ArchiveReader::begin);
    if (!mayBegin) {
      throw Problem.of(
              Status.CONFLICT_409,
              "The database has something in it already: import into a new one.")
          .toException();
    }
    ArchiveReader reader = new ArchiveReader();
    long number = 0;
    try {
      InputStream in = new BufferedInputStream(Bodies.unlimited(request), BUFFER_BYTES);
      Rows rows = new Rows();
      int bytes = 0;
      number = 1;
      for (byte[] line = line(in); line.length > 0; line = line(in)) {
        reader.read(line, rows);
        bytes += line.length;
        number++;
        if (rows.count() >= ROWS_AT_ONCE || bytes >= BYTES_AT_ONCE) {
          write(rows);
          rows = new Rows();
          bytes = 0;
        }
      }
      write(rows);
      if (!reader.hasEnded()) {
        throw Access.bad(
            "The export is cut off behind line %s: its last line is missing."
                .formatted(number - 1));
      }
    } catch (BadLineException e) {
      throw Access.bad("Line %s: %s.".formatted(number, e.getMessage()));
    } catch (StatementFailedException _) {
      throw Access.bad(
          "A line before line %s can't stand in the database beside the others.".formatted(number));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    database.inTransaction(session -> {
      ArchiveReader.end(session);
      return reader;
    });
    return reader.lines();
  }

  private void write(Rows rows) {
    database.inTransaction(session -> {
      rows.write(session);
      return rows;
    });
  }

  /// The next line without its end; empty where there is none.
  private byte[] line(InputStream in) throws IOException {
    ByteArrayOutputStream line = new ByteArrayOutputStream(256);
    for (int one = in.read(); one >= 0 && one != '\n'; one = in.read()) {
      line.write(one);
      if (line.size() > maxLineBytes) {
        throw new BadLineException(
            "it has more than %s bytes: replistream.sync.max-value is to be larger"
                .formatted(maxLineBytes));
      }
    }
    return line.toByteArray();
  }

  private <T> T alone(Supplier<T> work) {
    if (!turn.tryAcquire()) {
      throw Problem.of(
              Status.SERVICE_UNAVAILABLE_503,
              "Another export or import is under way on this node: come again.")
          .with(HeaderNames.RETRY_AFTER, "10")
          .toException();
    }
    try {
      return Access.orProblem(work);
    } finally {
      turn.release();
    }
  }
}
