package dev.replistream.backend;

import dev.replistream.api.Key;
import dev.replistream.data.EntryReader;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.function.LongConsumer;

/// Writes entries while they are read. Values go out as the bytes that were stored. Confined to one
/// thread; an {@link UncheckedIOException} means that the client is gone.
final class EntryWriter {
  private static final byte[] KEY = ascii("{\"key\":");
  private static final byte[] VERSION = ascii(",\"version\":");
  private static final byte[] VALUE = ascii(",\"value\":");
  private static final byte[] DELETED = ascii(",\"deleted\":true");

  private final OutputStream out;
  private final boolean isLines;
  private final LongConsumer begins;
  private boolean isFirst = true;
  private String end = "]}";

  /// @param out buffered, and closed by the caller
  /// @param begins told the version of the space, before anything is written
  EntryWriter(OutputStream out, EntryForm form, LongConsumer begins) {
    this.out = out;
    this.isLines = form == EntryForm.LINES;
    this.begins = begins;
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private interface Part {
    void write() throws IOException;
  }

  private static void write(Part part) {
    try {
      part.write();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Begins.
  ///
  /// @param version of the space
  void begin(long version) {
    begins.accept(version);
    if (!isLines) {
      write(() -> out.write(ascii("{\"version\":" + version + ",\"entries\":[")));
    }
  }

  /// Writes an entry.
  void entry(Key key, EntryReader.Entry entry) {
    write(() -> {
      separate();
      out.write(KEY);
      key.writeJson(out);
      out.write(VERSION);
      out.write(ascii(Long.toString(entry.version())));
      out.write(VALUE);
      out.write(entry.value());
      out.write('}');
      endLine();
    });
  }

  /// What follows are the keys of entries that were deleted.
  void deleted() {
    isFirst = true;
    if (!isLines) {
      write(() -> out.write(ascii("],\"deleted\":[")));
    }
  }

  /// Writes the key of an entry that was deleted.
  void deleted(Key key) {
    write(() -> {
      separate();
      if (isLines) {
        out.write(KEY);
        key.writeJson(out);
        out.write(DELETED);
        out.write('}');
      } else {
        key.writeJson(out);
      }
      endLine();
    });
  }

  /// Says where the next page begins.
  void next(Key key) {
    if (!isLines) {
      end = "}";
      write(() -> {
        out.write(ascii("],\"next\":"));
        key.writeJson(out);
      });
    }
  }

  private void separate() throws IOException {
    if (!isFirst && !isLines) {
      out.write(',');
    }
    isFirst = false;
  }

  private void endLine() throws IOException {
    if (isLines) {
      out.write('\n');
    }
  }

  /// Ends.
  void end() {
    if (!isLines) {
      write(() -> out.write(ascii(end)));
    }
  }
}
