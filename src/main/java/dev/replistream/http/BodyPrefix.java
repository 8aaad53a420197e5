package dev.replistream.http;

import com.fasterxml.jackson.core.JsonParser;
import dev.replistream.json.Json;
import dev.replistream.json.JsonException;
import dev.replistream.json.JsonShortener;
import java.io.IOException;
import java.io.InputStream;

/// The text of a body of which a reader takes what comes before the limit, where the body is
/// longer. The read that would go beyond the limit ends with a {@link ProblemException} 413: what
/// the reader has until then is whole.
///
/// Or it may skip something that goes beyond the limit. The text is still JSON then, but what is
/// long in it was cut, so that whatever is skipped takes no memory.
///
/// Confined to the request's thread.
public final class BodyPrefix {
  /// How much may be skipped, as a multiple of the limit: somebody has to send it all.
  private static final int MAX_EXCESS = 8;

  private final int limitBytes;
  private final BodyStream in;
  private final JsonShortener text;
  private boolean isStrict;

  private BodyPrefix(InputStream in, int limitBytes, int maxStringLength) {
    this.limitBytes = limitBytes;
    this.in = new BodyStream(in, limitBytes);
    text = new JsonShortener(this.in, maxStringLength, () -> !isStrict && isOver());
  }

  /// Something that reads one JSON value, and may take less than the whole of it.
  @FunctionalInterface
  public interface Reader<T> {
    /// Reads the value as a {@link Json.Reader} does, unless the body is over its limit: then it
    /// may stop anywhere.
    T read(JsonParser parser, BodyPrefix body) throws IOException;
  }

  /// Reads one JSON value in UTF-8 while it comes in, or what of it comes before the limit, if that
  /// is enough for the reader.
  ///
  /// @param maxStringLength how many characters of a string are kept, or of a number
  /// @throws ProblemException as {@link Bodies.Body#read} does, but that it may nest up to 100,000
  ///   deep; and 413 where the reader needs what is beyond the limit
  public static <T> T read(InputStream in, int limitBytes, int maxStringLength, Reader<T> reader) {
    BodyPrefix body = new BodyPrefix(in, limitBytes, maxStringLength);
    try {
      return Json.readDeep(body.text, parser -> reader.read(parser, body), () -> !body.isOver());
    } catch (JsonException e) {
      throw Bodies.problem(e);
    }
  }

  /// Lets reads go beyond the limit, up to eight times as far; to be called early.
  public void allowExcess() {
    in.allowExcess(MAX_EXCESS);
  }

  /// Lets reads end at the limit from here on.
  public void endAtLimit() {
    in.endAtLimit();
    isStrict = true;
  }

  /// Whether the body is longer than the limit, as far as it was read.
  public boolean isOver() {
    return in.isOver();
  }

  /// What a body that is longer than the limit is refused with.
  public ProblemException tooLarge() {
    return Bodies.tooLarge(limitBytes);
  }
}
