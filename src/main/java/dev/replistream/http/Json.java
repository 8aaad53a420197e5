package dev.replistream.http;

import com.fasterxml.jackson.core.JsonFactory;
import com.fasterxml.jackson.core.JsonFactoryBuilder;
import com.fasterxml.jackson.core.JsonGenerator;
import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonProcessingException;
import com.fasterxml.jackson.core.JsonToken;
import com.fasterxml.jackson.core.StreamReadConstraints;
import com.fasterxml.jackson.core.StreamReadFeature;
import com.fasterxml.jackson.core.StreamWriteConstraints;
import com.fasterxml.jackson.core.exc.StreamConstraintsException;
import com.fasterxml.jackson.core.io.JsonStringEncoder;
import com.fasterxml.jackson.core.json.JsonWriteFeature;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.InputStreamReader;
import java.io.StringReader;
import java.io.StringWriter;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/// JSON bodies, in and out. Thread-safe: the factory holds no state between calls.
public final class Json {
  /// How deep arrays and objects may nest in a request; Replicache values reach 500.
  private static final int MAX_DEPTH = 512;

  /// How long a number may be; JavaScript writes 24 characters at most.
  private static final int MAX_DIGITS = 1000;

  /// The texts of values that are one word.
  private static final Map<JsonToken, Optional<String>> SHARED =
      Map.of(
          JsonToken.VALUE_NULL, Optional.of("null"),
          JsonToken.VALUE_TRUE, Optional.of("true"),
          JsonToken.VALUE_FALSE, Optional.of("false"));

  private static final int MAX_SKIPPED_DEPTH = 100_000;

  private static final int PART_BYTES = 8192;

  /// For what is read by name, such as tokens: a key that comes twice could be read two ways.
  private static final JsonFactory FACTORY =
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

  /// The value whose first token is the parser's current one, as text of the form of {@link
  /// JsonValue#toJson}; the parser is left at its last token. It takes a tenth of the memory of a
  /// {@link JsonValue}, into which it can be parsed later.
  ///
  /// @param maxLength how many characters it may have; a longer one is skipped and not kept
  public static Text text(JsonParser parser, BodyPrefix body, int maxLength) throws IOException {
    Optional<String> shared = SHARED.get(parser.currentToken());
    if (shared != null) {
      return new Text(shared, false);
    }
    StringWriter text = new StringWriter();
    // what the generator still holds back is little
    BooleanSupplier isShort = () -> text.getBuffer().length() <= maxLength;
    boolean isWhole;
    try (JsonGenerator json = VALUES.createGenerator(text)) {
      isWhole =
          JsonValueWriter.copy(
              parser, json, MAX_DEPTH, () -> !body.isOver() && isShort.getAsBoolean());
    }
    return isWhole && isShort.getAsBoolean()
        ? new Text(Optional.of(text.toString()), false)
        : new Text(Optional.empty(), !isShort.getAsBoolean());
  }

  /// A value as text.
  ///
  /// @param text empty where it is too long, nests deeper than 512, or the body is over its limit
  ///   at its end
  /// @param isTooLong whether that is why
  public record Text(Optional<String> text, boolean isTooLong) {}

  /// Something that reads one JSON value.
  @FunctionalInterface
  public interface Reader<T extends @Nullable Object> {
    /// Reads the value whose first token is the parser's current one, and leaves the parser at its
    /// last. It throws {@link ProblemException} for what it does not like.
    T read(JsonParser parser) throws IOException;
  }

  /// Reads one JSON value in UTF-8 while it comes in, so that it is never held as a whole. Of
  /// members with the same name the reader sees each.
  ///
  /// @throws ProblemException 400 when it is not one JSON value in UTF-8 (RFC 8259), nests deeper
  ///   than 512, or has a number of more than 1,000 digits
  public static <T> T read(InputStream in, Reader<T> reader) {
    return read(
        VALUES,
        // the decoder is stricter than Jackson's, which takes overlong forms and UTF-16
        new InputStreamReader(in, StandardCharsets.UTF_8.newDecoder()),
        reader);
  }

  /// Something that reads one JSON value, and may take less than the whole of it.
  @FunctionalInterface
  public interface PrefixReader<T> {
    /// Reads the value as a {@link Reader} does, unless the body is over its limit: then it may
    /// stop anywhere.
    T read(JsonParser parser, BodyPrefix body) throws IOException;
  }

  /// Reads one JSON value in UTF-8 while it comes in, or what of it comes before the limit, if that
  /// is enough for the reader.
  ///
  /// @param maxStringLength how many characters of a string are kept, or of a number
  /// @throws ProblemException as {@link #read(InputStream, Reader)} does, but that it may nest up
  ///   to 100,000 deep; and 413 where the reader needs what is beyond the limit
  public static <T> T readPrefix(
      InputStream in, int limitBytes, int maxStringLength, PrefixReader<T> reader) {
    BodyPrefix body = new BodyPrefix(in, limitBytes, maxStringLength);
    return read(
        DEEP_VALUES, body.text(), parser -> reader.read(parser, body), () -> !body.isOver());
  }

  /// Reads one JSON value from text.
  ///
  /// @throws ProblemException 400 as for a body
  public static <T> T read(String text, Reader<T> reader) {
    return read(VALUES, new StringReader(text), reader);
  }

  /// Reads one JSON value from text in UTF-8.
  ///
  /// @throws ProblemException 400 as for a body
  public static <T> T read(byte[] text, Reader<T> reader) {
    return read(decode(text), reader);
  }

  /// Parses one JSON value: objects come as `Map`, arrays as `List`, whole numbers as `Integer`,
  /// `Long` or `BigInteger`, others as `Double`, `null` as null.
  ///
  /// @throws ProblemException 400 when the text is not one JSON value in UTF-8, names a key twice,
  ///   or nests deeper than 512
  public static @Nullable Object parse(byte[] text) {
    return Json.<@Nullable Object>read(FACTORY, new StringReader(decode(text)), Json::value);
  }

  /// Parses one JSON value, as {@link #parse(byte[])} does.
  ///
  /// @throws ProblemException as that does
  public static @Nullable Object parse(String text) {
    return parse(text.getBytes(StandardCharsets.UTF_8));
  }

  private static <T extends @Nullable Object> T read(
      JsonFactory factory, java.io.Reader text, Reader<T> reader) {
    return read(factory, text, reader, () -> true);
  }

  /// @param isWhole whether the reader, once it has returned, has read all that there is
  private static <T extends @Nullable Object> T read(
      JsonFactory factory, java.io.Reader text, Reader<T> reader, BooleanSupplier isWhole) {
    try (JsonParser parser = factory.createParser(text)) {
      if (parser.nextToken() == null) {
        throw notJson("it is empty");
      }
      T value = reader.read(parser);
      if (isWhole.getAsBoolean() && parser.nextToken() != null) {
        throw notJson("there is text after its end");
      }
      return value;
    } catch (StreamConstraintsException _) {
      throw notJson(
          "it nests deeper than %s, or has a number of more than %s digits"
              .formatted(factory.streamReadConstraints().getMaxNestingDepth(), MAX_DIGITS));
    } catch (JsonProcessingException e) {
      throw notJson("line %s, column %s".formatted(line(e), column(e)));
    } catch (CharacterCodingException _) {
      throw notJson("it is not valid UTF-8");
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Stricter than the parser, which reads UTF-16, overlong forms and what lies beyond Unicode.
  private static String decode(byte[] text) {
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
    } catch (CharacterCodingException _) {
      throw notJson("it is not valid UTF-8");
    }
  }

  /// Reads a request's whole body.
  ///
  /// @param limitBytes the most that is read
  /// @throws ProblemException 413 when the body is larger, 400 when its chunks are malformed
  public static byte[] body(ServerRequest request, int limitBytes) {
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

  private static @Nullable Object value(JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    return switch (token) {
      case START_OBJECT -> {
        Map<String, @Nullable Object> object = new LinkedHashMap<>();
        while (parser.nextToken() != JsonToken.END_OBJECT) {
          String name = parser.currentName();
          parser.nextToken();
          object.put(name, value(parser));
        }
        yield object;
      }
      case START_ARRAY -> {
        List<@Nullable Object> array = new ArrayList<>();
        while (parser.nextToken() != JsonToken.END_ARRAY) {
          array.add(value(parser));
        }
        yield array;
      }
      case VALUE_STRING -> parser.getText();
      case VALUE_TRUE -> true;
      case VALUE_FALSE -> false;
      case VALUE_NULL -> null;
      case VALUE_NUMBER_INT, VALUE_NUMBER_FLOAT -> parser.getNumberValue();
      case NOT_AVAILABLE, END_OBJECT, END_ARRAY, FIELD_NAME, VALUE_EMBEDDED_OBJECT ->
          throw notJson("unexpected " + token.asString());
    };
  }

  private static ProblemException notJson(String where) {
    return Problem.of(Status.BAD_REQUEST_400, "The body is not JSON: " + where + ".").toException();
  }

  private static int line(JsonProcessingException e) {
    return e.getLocation() == null ? 0 : e.getLocation().getLineNr();
  }

  private static int column(JsonProcessingException e) {
    return e.getLocation() == null ? 0 : e.getLocation().getColumnNr();
  }
}
