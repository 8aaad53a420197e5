package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Key;
import dev.replistream.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.Map;

/// The answer to a pull, written while its patch is made: the head first, then one operation after
/// the other (Replicache: "server-pull"). Values go out as the bytes that were stored. Only {@link
/// #end} makes it whole, so a client never takes half a patch for all of it.
///
/// Confined to the request's thread. An {@link UncheckedIOException} means that the client is gone.
final class PullWriter {
  private static final byte[] PUT = ascii("{\"op\":\"put\",\"key\":");
  private static final byte[] VALUE = ascii(",\"value\":");
  private static final byte[] DEL = ascii("{\"op\":\"del\",\"key\":");
  private static final byte[] CLEAR = ascii("{\"op\":\"clear\"}");

  private final OutputStream out;
  private long operations;

  /// Writes the head.
  ///
  /// @param out buffered, and closed by the caller
  /// @param lastMutationIDChanges the last mutation of each client that had one since the cookie
  PullWriter(OutputStream out, JsonValue cookie, Map<String, Long> lastMutationIDChanges) {
    this.out = out;
    byte[] head =
        Json.write(json -> {
          json.writeStartObject();
          json.writeFieldName("cookie");
          cookie.write(json);
          json.writeObjectFieldStart("lastMutationIDChanges");
          for (Map.Entry<String, Long> client : lastMutationIDChanges.entrySet()) {
            json.writeNumberField(client.getKey(), client.getValue());
          }
          json.writeEndObject();
          json.writeEndObject();
        });
    write(() -> {
      out.write(head, 0, head.length - 1);
      out.write(ascii(",\"patch\":["));
    });
  }

  /// Deletes all that the client has.
  void clear() {
    operation(() -> out.write(CLEAR));
  }

  /// Sets a key.
  ///
  /// @param value JSON in UTF-8
  void put(Key key, byte[] value) {
    operation(() -> {
      out.write(PUT);
      key.writeJson(out);
      out.write(VALUE);
      out.write(value);
      out.write('}');
    });
  }

  /// Deletes a key, which the client need not have.
  void del(Key key) {
    operation(() -> {
      out.write(DEL);
      key.writeJson(out);
      out.write('}');
    });
  }

  /// Ends the patch and the answer.
  void end() {
    write(() -> out.write(ascii("]}")));
  }

  /// How many operations were written.
  long operations() {
    return operations;
  }

  private interface Part {
    void write() throws IOException;
  }

  private void operation(Part part) {
    boolean first = operations++ == 0;
    write(() -> {
      if (!first) {
        out.write(',');
      }
      part.write();
    });
  }

  private static void write(Part part) {
    try {
      part.write();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }
}
