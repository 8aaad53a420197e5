package dev.replistream.http;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.CloseConnectionException;
import io.helidon.webserver.ServerConnectionException;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.util.function.Consumer;

/// Sends answers that are written while the database is read. A failure before the first byte of
/// one is a problem; after it the connection is cut, so that nobody takes half an answer for a
/// whole one. Thread-safe.
public final class LongAnswers {
  private static final Header GZIP = HeaderValues.create(HeaderNames.CONTENT_ENCODING, "gzip");

  private static final Header VARY =
      HeaderValues.create(HeaderNames.VARY, HeaderNames.ACCEPT_ENCODING.defaultCase());

  private final SampledLog log = new SampledLog(System.getLogger(LongAnswers.class.getName()));
  private final SpillFiles spills;

  /// @param spills where answers wait for slow clients
  public LongAnswers(SpillFiles spills) {
    this.spills = spills;
  }

  /// Sends an answer.
  ///
  /// @param userId whose it is
  /// @param contentType its media type
  /// @param writer writes it, on a thread of its own
  /// @param headers sets more headers, once the first part of the answer is there
  /// @throws ProblemException 503 when too much waits for the user already
  /// @throws RuntimeException with which `writer` failed before the first part was there
  public void send(
      String userId,
      Header contentType,
      Consumer<Chunks> writer,
      Consumer<ServerResponse> headers,
      ServerRequest request,
      ServerResponse response) {
    Chunks chunks = new Chunks(spills, userId);
    Thread.ofVirtual().name("answer").start(() -> write(writer, chunks));
    try {
      byte[] first = chunks.take();
      response.headers().add(VARY);
      response.header(Routes.NO_STORE);
      response.header(contentType);
      headers.accept(response);
      boolean isZipped = first.length > Gzip.MIN_BYTES && Gzip.isAccepted(request);
      if (isZipped) {
        response.header(GZIP);
      }
      if (chunks.isDone()) {
        response.send(isZipped ? Gzip.compress(first) : first);
      } else {
        stream(first, chunks, isZipped, response);
      }
    } catch (TooMuchAtOnceException e) {
      throw Unavailable.problem(String.valueOf(e.getMessage()));
    } catch (UncheckedIOException e) {
      if (Thread.currentThread().isInterrupted()) {
        throw Unavailable.problem("The server is stopping; come again.");
      }
      throw e;
    } finally {
      chunks.cancel();
    }
  }

  /// Whatever the writer throws, the request's thread throws on.
  private static void write(Consumer<Chunks> writer, Chunks chunks) {
    try {
      writer.accept(chunks);
      chunks.end();
    } catch (RuntimeException thrown) {
      chunks.fail(thrown);
    } catch (Error thrown) {
      chunks.fail(thrown);
    }
  }

  private void stream(byte[] first, Chunks chunks, boolean isZipped, ServerResponse response) {
    try {
      OutputStream out = response.outputStream();
      if (isZipped) {
        Gzip gzip = new Gzip(out);
        try {
          copy(first, chunks, gzip);
        } finally {
          gzip.abandon();
        }
      } else {
        copy(first, chunks, out);
      }
    } catch (ServerConnectionException e) {
      throw new CloseConnectionException("The client has left", e);
    } catch (IOException | RuntimeException e) {
      log.log(Level.WARNING, "answer-cut", () -> "event=answer-cut", e);
      throw new CloseConnectionException("The answer can't be ended", e);
    }
  }

  /// Only an answer that came to its end closes the stream, which ends the response.
  private static void copy(byte[] first, Chunks chunks, OutputStream out) throws IOException {
    out.write(first);
    while (!chunks.isDone()) {
      out.write(chunks.take());
    }
    out.close();
  }
}
