package dev.replistream.http.wire;

import dev.replistream.http.Bodies;
import dev.replistream.http.ProblemException;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataReader;
import io.helidon.http.Headers;
import io.helidon.http.RequestException;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/// What Helidon's parser of HTTP/1.1 reads a connection by. It looks at the lines before that
/// parser does ({@link RequestHead}), and lets it see a chunked body in another form: each piece
/// that has come as a chunk of its own. The parser would else keep a line however long, and a chunk
/// until the whole of it is there. Whatever route a request takes, its body comes through here.
///
/// Confined to the connection's thread.
final class WireReader extends DataReader {
  private final BooleanSupplier isAtRequestLine;
  private final int largestChunkBytes;
  private Optional<String> authority = Optional.empty();
  private boolean isHead;
  private @Nullable Framing chunks;
  private boolean hasToldEnd;
  // the size that the parser was told, until it has taken the piece
  private int piece;

  /// @param isAtRequestLine whether the parser waits for a request, or is within its first line
  /// @param largestChunkBytes what a chunk may bring; a larger one is refused by its size alone
  @SuppressWarnings("removal") // the way to make one that stays makes no other than Helidon's own
  WireReader(
      Supplier<byte @Nullable []> bytes, BooleanSupplier isAtRequestLine, int largestChunkBytes) {
    super(bytes);
    this.isAtRequestLine = isAtRequestLine;
    this.largestChunkBytes = largestChunkBytes;
  }

  /// The head is complete.
  ///
  /// @return whether a body in chunks follows
  /// @throws RequestException 400 when it is no good head
  boolean headRead(Headers headers) {
    RequestHead.checkHost(headers, authority);
    boolean isChunked = Framing.isChunked(headers);
    chunks = isChunked ? new Framing(this) : null;
    hasToldEnd = false;
    piece = 0;
    return isChunked;
  }

  /// Waits for the first line of a chunked body, if that is what comes: a request which does not
  /// even begin well is not executed.
  ///
  /// @throws RequestException 400 when it is malformed
  void awaitFirstChunk() {
    if (chunks != null) {
      chunks.dataBytes();
    }
  }

  /// Whether the request under way is a `HEAD`, whose response has no body.
  boolean isHead() {
    return isHead;
  }

  /// Whether the end of a chunked body has not come yet.
  boolean isWithinChunks() {
    return chunks != null && !chunks.hasEnded();
  }

  /// RFC 9112, section 2.2: an empty line before a request is ignored; one, and no more.
  @Override
  public int findNewLine(int max) {
    if (isAtRequestLine.getAsBoolean() && startsWithNewLine()) {
      super.skip(2);
    }
    return super.findNewLine(max);
  }

  @Override
  public byte[] readBytes(int length) {
    byte[] bytes = super.readBytes(length);
    if (isAtRequestLine.getAsBoolean()) {
      authority = RequestHead.checkLine(bytes);
      isHead = bytes[0] == 'H'; // no other of the methods begins so
    }
    return bytes;
  }

  @Override
  public String readAsciiString(int length) {
    String name = super.readAsciiString(length);
    RequestHead.checkName(name);
    return name;
  }

  /// A line of a chunked body, which is all that the parser reads so: the size of a piece, or the
  /// two lines of a body's end.
  ///
  /// @throws RequestException 400 when the framing is malformed
  /// @throws ProblemException 413 when the chunk is too large
  @Override
  public String readLine() {
    Framing current = chunks;
    if (current == null) {
      throw new IllegalStateException("there is no chunked body");
    }
    if (hasToldEnd) {
      chunks = null;
      return "";
    }
    int dataBytes = current.dataBytes();
    if (dataBytes > largestChunkBytes) {
      throw Bodies.tooLarge(largestChunkBytes);
    }
    if (dataBytes == 0) {
      hasToldEnd = true;
      return "0";
    }
    ensureAvailable();
    piece = Math.min(dataBytes, available());
    return Integer.toHexString(piece);
  }

  @Override
  public BufferData readBuffer(int length) {
    Framing current = chunks;
    if (current == null || piece == 0) {
      return super.readBuffer(length);
    }
    BufferData data = getBuffer(length);
    super.skip(length);
    current.taken(length);
    return data;
  }

  @Override
  public void skip(int length) {
    if (piece > 0) {
      piece = 0; // the end of the line that no piece has
    } else {
      super.skip(length);
    }
  }
}
