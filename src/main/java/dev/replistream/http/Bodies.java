package dev.replistream.http;

import dev.replistream.json.Json;
import dev.replistream.json.JsonException;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.FilterInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.function.LongConsumer;

/// Reads bodies of requests up to a length, within the node's {@link BodyBudget}. Thread-safe.
public final class Bodies {
  private static final int PART_BYTES = 8192;

  private final BodyBudget budget;
  private final int maxBytes;

  Bodies(BodyBudget budget, int maxBytes) {
    this.budget = budget;
    this.maxBytes = maxBytes;
  }

  /// Reads a whole body.
  ///
  /// @param userId whose it is
  /// @throws ProblemException 413 when it is too long, 400 when its chunks are malformed, 503 when
  ///   there is no room for it now
  public byte[] read(ServerRequest request, String userId) {
    try (BodyBudget.Share _ = budget.take(request, userId, maxBytes)) {
      return read(request, maxBytes);
    }
  }

  /// Reads a whole body, beside the budget.
  ///
  /// @param limitBytes the most that is read
  /// @throws ProblemException 413 when the body is larger, 400 when its chunks are malformed
  public static byte[] read(ServerRequest request, int limitBytes) {
    if (!request.content().hasEntity()) {
      return new byte[0];
    }
    BodyStream in = BodyStream.of(request, limitBytes);
    long length = request.headers().contentLength().orElse(PART_BYTES);
    byte[] part = new byte[Math.clamp(length, 1, PART_BYTES)];
    ByteArrayOutputStream body = new ByteArrayOutputStream(part.length);
    try {
      for (int count = in.read(part); count >= 0; count = in.read(part)) {
        body.write(part, 0, count);
      }
      return body.toByteArray();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Parses a body that was read as a whole. None of its objects may name a key twice.
  ///
  /// @throws ProblemException 400 when it is not one JSON value in UTF-8 (RFC 8259), nests deeper
  ///   than 512, or has a number of more than 1,000 digits
  public static <T> T parse(byte[] body, Json.Reader<T> reader) {
    try {
      return Json.readStrict(body, reader);
    } catch (JsonException e) {
      throw problem(e);
    }
  }

  /// Parses a body that was read as a whole, of any length. Of members with the same name the
  /// reader sees each.
  ///
  /// @throws ProblemException 400 as {@link #parse} does but for those members
  public static <T> T parseLong(byte[] body, Json.Reader<T> reader) {
    try {
      return Json.read(body, reader);
    } catch (JsonException e) {
      throw problem(e);
    }
  }

  /// What a body is refused with that is not JSON.
  static ProblemException problem(JsonException e) {
    return Problem.of(Status.BAD_REQUEST_400, "The body is " + e.getMessage() + ".").toException();
  }

  /// What a body is refused with that is larger than a limit.
  public static ProblemException tooLarge(long limitBytes) {
    return Problem.of(
            Status.REQUEST_ENTITY_TOO_LARGE_413,
            "The body is larger than the limit of " + limitBytes + " bytes.")
        .toException();
  }

  /// The body of a request, of any length, for who reads it bit by bit and keeps little of it.
  ///
  /// @return what throws a {@link ProblemException} 400 at malformed chunks
  public static InputStream unlimited(ServerRequest request) {
    return BodyStream.of(request, Long.MAX_VALUE);
  }

  /// Takes what the body needs of the budget, for as long as it is read and applied.
  ///
  /// @param userId whose it is
  /// @throws ProblemException 503 when there is no room for it now
  public Body open(ServerRequest request, String userId) {
    return new Body(request, budget.take(request, userId, maxBytes));
  }

  /// A body that is read while it comes in. Confined to the request's thread.
  public final class Body implements AutoCloseable {
    private final ServerRequest request;
    private final BodyBudget.Share share;

    private Body(ServerRequest request, BodyBudget.Share share) {
      this.request = request;
      this.share = share;
    }

    /// Reads the body as one JSON value. Of members with the same name the reader sees each.
    ///
    /// @throws ProblemException 400 as {@link Bodies#parse} does but for those members, 413 when it
    ///   is too long, 503 when there is no room for more of it
    public <T> T read(Json.Reader<T> reader) {
      try (Counted in = counted(BodyStream.of(request, maxBytes))) {
        return Json.read(in, reader);
      } catch (JsonException e) {
        throw problem(e);
      }
    }

    /// Reads the whole body, which counts until this is closed.
    ///
    /// @throws ProblemException 413 when it is too long, 503 when there is no room for more of it
    public byte[] readAll() {
      try (Counted in = counted(BodyStream.of(request, maxBytes))) {
        return request.content().hasEntity() ? in.readAllBytes() : new byte[0];
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }

    /// Reads what of the body comes before the limit, as {@link BodyPrefix#read} does.
    ///
    /// @param maxStringLength how many characters of a string are kept, or of a number
    /// @throws ProblemException as that does, and 503 when there is no room for more of it
    public <T> T readPrefix(int maxStringLength, BodyPrefix.Reader<T> reader) {
      InputStream in =
          request.content().hasEntity()
              ? request.content().inputStream()
              : InputStream.nullInputStream();
      try (Counted counted = counted(in)) {
        return BodyPrefix.read(counted, maxBytes, maxStringLength, reader);
      }
    }

    private Counted counted(InputStream in) {
      return new Counted(in, bytes -> share.read(Math.min(bytes, maxBytes)));
    }

    @Override
    public void close() {
      share.close();
    }
  }

  /// Tells how much has been read, and keeps what is read after the first part within the turns of
  /// long work: from a read to the next one, as a read may wait for the client.
  private static final class Counted extends FilterInputStream {
    private final LongConsumer read;
    private long bytes;
    private long toldBytes;
    private boolean hasTurn;

    Counted(InputStream in, LongConsumer read) {
      super(in);
      this.read = read;
    }

    @Override
    public int read() throws IOException {
      byte[] one = new byte[1];
      return read(one, 0, 1) < 0 ? -1 : one[0] & 0xff;
    }

    @Override
    public int read(byte[] part, int offset, int length) throws IOException {
      endTurn();
      int count = in.read(part, offset, length);
      bytes += Math.max(count, 0);
      if (bytes - toldBytes >= LongTurns.LONG_BYTES) {
        toldBytes = bytes;
        read.accept(bytes);
      }
      if (bytes > LongTurns.LONG_BYTES) {
        LongTurns.take();
        hasTurn = true;
      }
      return count;
    }

    private void endTurn() {
      if (hasTurn) {
        hasTurn = false;
        LongTurns.end();
      }
    }

    /// Ends its turn. The body stays open: closed, it would wait for what is left of it.
    @Override
    public void close() {
      endTurn();
    }
  }
}
