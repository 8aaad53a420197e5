package dev.replistream.json;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.OutputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.function.BooleanSupplier;

/// JSON in and out. Thread-safe: the factories hold no state between calls.
public final class Json {
  /// How deep arrays and objects may nest; Replicache values reach 500.
  static final int MAX_DEPTH = 512;

  /// How long a number may be; JavaScript writes 24 characters at most.
  private static final int MAX_DIGITS = 1000;

  private static final int MAX_SKIPPED_DEPTH = 100_000;

  /// For what is read by name, such as tokens: a key that comes twice could be read two ways.
  private static final JsonFactory STRICT =
      new JsonFactoryBuilder()
          .streamReadConstraints(StreamReadConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
          .enable(StreamReadFeature.STRICT_DUPLICATE_DETECTION)
          .build();

  private static final JsonFactory VALUES = values(MAX_DEPTH);

  /// For what is skipped where it nests too deep. JavaScript can't make anything that nests deeper
  /// than this, and the parser takes a few MB for it.
  private static final JsonFactory DEEP_VALUES = values(MAX_SKIPPED_DEPTH);

  private Json() {}

  /// For values of users. How long strings may be is the business of the body's limit. Names are
  /// not shared between values: they are made up by strangers, who could fill the table or make
  /// their hashes collide.
  private static JsonFactory values(int maxDepth) {
    return new JsonFactoryBuilder()
        .streamReadConstraints(
            StreamReadConstraints.builder()
                .maxNestingDepth(maxDepth)
                .maxNumberLength(MAX_DIGITS)
                .maxNameLength(Integer.MAX_VALUE)
                .maxStringLength(Integer.MAX_VALUE)
                .build())
        .streamWriteConstraints(StreamWriteConstraints.builder().maxNestingDepth(MAX_DEPTH).build())
        .disable(JsonFactory.Feature.CANONICALIZE_FIELD_NAMES)
        .enable(JsonWriteFeature.COMBINE_UNICODE_SURROGATES_IN_UTF8)
        .build();
  }

  /// Writes values as text to `out`.
  static JsonGenerator generator(java.io.Writer out) throws IOException {
    return VALUES.createGenerator(out);
  }

  /// ISO 8601 in UTC with exactly three digits of milliseconds and `Z`.
  public static String timestamp(Instant instant) {
    String text = instant.truncatedTo(ChronoUnit.MILLIS).toString();
    return text.contains(".") ? text : text.replace("Z", ".000Z");
  }

  /// `text` as a JSON string with its quotes, which is also how values stand in the log: on one
  /// line, whatever the reader takes for the end of one.
  public static String quoted(String text) {
    String quoted = new String(JsonStringEncoder.getInstance().quoteAsString(text));
    return '"' + quoted.replace("\u2028", "\\u2028").replace("\u2029", "\\u2029") + '"';
  }

  /// Something that writes one JSON value.
  @FunctionalInterface
  public interface Writer {
    /// Writes the value; `json` needs no closing.
    void write(JsonGenerator json) throws IOException;
  }

  /// The value that `writer` writes, in UTF-8.
  public static byte[] write(Writer writer) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(192);
    try (JsonGenerator json = VALUES.createGenerator(bytes)) {
      writer.write(json);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return bytes.toByteArray();
  }

  /// The value that `writer` writes, as text of one line.
  public static String writeText(Writer writer) {
    return new String(write(writer), StandardCharsets.UTF_8);
  }

  /// Writes the value that `writer` writes, in UTF-8, and leaves `out` open.
  ///
  /// @throws IOException when `out` can't be written
  public static void write(OutputStream out, Writer writer) throws IOException {
    try (JsonGenerator json = leavingOpen(out)) {
      writer.write(json);
    }
  }

  private static JsonGenerator leavingOpen(OutputStream out) throws IOException {
    return VALUES
        .createGenerator(out)
        .disable(JsonGenerator.Feature.AUTO_CLOSE_TARGET)
        .disable(JsonGenerator.Feature.FLUSH_PASSED_TO_STREAM);
  }

  /// Writes a value that is there as text into one that is written to a stream. It may nest as deep
  /// as any, wherever it stands.
  ///
  /// @param json what {@link #write(OutputStream, Writer)} gives
  /// @param text one JSON value
  public static void embed(JsonGenerator json, String text) throws IOException {
    json.writeRawValue(""); // what has to stand before it
    json.flush();
    try (JsonParser parser = VALUES.createParser(new StringReader(text));
        JsonGenerator nested = leavingOpen((OutputStream) json.getOutputTarget())) {
      parser.nextToken();
      JsonText.copy(parser, nested, () -> true);
    }
  }

  /// Something that reads one JSON value.
  @FunctionalInterface
  public interface Reader<T> {
    /// Reads the value whose first token is the parser's current one, and leaves the parser at its
    /// last.
    T read(JsonParser parser) throws IOException;
  }

  /// Reads one JSON value in UTF-8 while it comes in, so that it is never held as a whole. Of
  /// members with the same name the reader sees each.
  ///
  /// @throws JsonException when it is not one JSON value in UTF-8 (RFC 8259), nests deeper than
  ///   512, or has a number of more than 1,000 digits
  public static <T> T read(InputStream in, Reader<T> reader) {
    return read(VALUES, utf8(in), reader);
  }

  /// Reads one JSON value while it comes in, or as much of it as the reader takes.
  ///
  /// @param isWhole whether the reader, once it has returned, has read all that there is
  /// @throws JsonException as for other text, but that the value may nest up to 100,000 deep
  public static <T> T readDeep(JsonShortener text, Reader<T> reader, BooleanSupplier isWhole) {
    return read(DEEP_VALUES, text, reader, isWhole);
  }

  /// Reads one JSON value from text.
  ///
  /// @throws JsonException as for what comes in
  public static <T> T read(String text, Reader<T> reader) {
    return read(VALUES, new StringReader(text), reader);
  }

  /// Reads one JSON value from text in UTF-8.
  ///
  /// @throws JsonException as for what comes in
  public static <T> T read(byte[] text, Reader<T> reader) {
    return read(decode(text), reader);
  }

  /// Reads one JSON value whose objects must not name a key twice, as that could be read two ways.
  ///
  /// @throws JsonException as for what comes in, and when a key comes twice
  public static <T> T readStrict(String text, Reader<T> reader) {
    return read(STRICT, new StringReader(text), reader);
  }

  /// The same from text in UTF-8.
  ///
  /// @throws JsonException as that does
  public static <T> T readStrict(byte[] text, Reader<T> reader) {
    return readStrict(decode(text), reader);
  }

  private static <T> T read(JsonFactory factory, java.io.Reader text, Reader<T> reader) {
    return read(factory, text, reader, () -> true);
  }

  private static <T> T read(
      JsonFactory factory, java.io.Reader text, Reader<T> reader, BooleanSupplier isWhole) {
    try (JsonParser parser = factory.createParser(text)) {
      if (parser.nextToken() == null) {
        throw new JsonException("it is empty");
      }
      T value = reader.read(parser);
      if (isWhole.getAsBoolean() && parser.nextToken() != null) {
        throw new JsonException("there is text after its end");
      }
      return value;
    } catch (StreamConstraintsException _) {
      throw new JsonException(
          "it nests deeper than %s, or has a number of more than %s digits"
              .formatted(factory.streamReadConstraints().getMaxNestingDepth(), MAX_DIGITS));
    } catch (JsonProcessingException e) {
      throw new JsonException("line %s, column %s".formatted(line(e), column(e)));
    } catch (CharacterCodingException _) {
      throw new JsonException("it is not valid UTF-8");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The text of `in`, which has to be UTF-8. The decoder is stricter than Jackson's, which takes
  /// overlong forms and UTF-16.
  static java.io.Reader utf8(InputStream in) {
    return new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder());
  }

  /// Stricter than the parser, which reads UTF-16, overlong forms and what lies beyond Unicode.
  private static String decode(byte[] text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
    } catch (CharacterCodingException _) {
      throw new JsonException("it is not valid UTF-8");
    }
  }

  private static int line(JsonProcessingException e) {
    return e.getLocation() == null ? 0 : e.getLocation().getLineNr();
  }

  private static int column(JsonProcessingException e) {
    return e.getLocation() == null ? 0 : e.getLocation().getColumnNr();
  }
}
