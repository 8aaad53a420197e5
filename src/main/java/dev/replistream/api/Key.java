package dev.replistream.api;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Optional;

/// The key of an entry, as bytes: UTF-8, in which half a surrogate pair, which a JavaScript string
/// may hold, stands as three bytes of its own (the generalisation of UTF-8 known as WTF-8). Keys
/// are equal and ordered as their bytes are, unsigned, which is the order of Replicache's client.
/// Any string is a key, the empty one too; to be stored it must not be too long. Immutable.
public final class Key implements Comparable<Key> {
  /// How long the key of an entry may be: PostgreSQL can't index rows of more than 2.7 kB, and the
  /// id of the space belongs to the row.
  public static final int MAX_BYTES = 1024;

  private static final int HALF_PAIR_LEAD = 0xed;
  private static final int HALF_PAIR_SECOND = 0xa0;

  private final byte[] bytes;

  private Key(byte[] bytes) {
    this.bytes = bytes;
  }

  /// The key that the client calls `text`.
  public static Key of(String text) {
    if (text.codePoints().noneMatch(Key::isHalfPair)) {
      return new Key(text.getBytes(StandardCharsets.UTF_8));
    }
    ByteArrayOutputStream bytes = new ByteArrayOutputStream(text.length() + 8);
    text.codePoints()
        .forEach(c -> {
          if (isHalfPair(c)) {
            bytes.write(0xe0 | (c >> 12));
            bytes.write(0x80 | ((c >> 6) & 0x3f));
            bytes.write(0x80 | (c & 0x3f));
          } else {
            bytes.writeBytes(Character.toString(c).getBytes(StandardCharsets.UTF_8));
          }
        });
    return new Key(bytes.toByteArray());
  }

  /// The key whose bytes are stored as `bytes`; they are not copied, so leave them alone.
  public static Key ofBytes(byte[] bytes) {
    return new Key(bytes);
  }

  /// This key, if it is short enough to be stored.
  ///
  /// @throws RejectedException when it has more than {@link #MAX_BYTES} bytes
  public Key storable() {
    if (bytes.length > MAX_BYTES) {
      throw new RejectedException(
          RejectionCode.KEY_TOO_LONG, "the key has more than " + MAX_BYTES + " bytes");
    }
    return this;
  }

  /// The least key beyond this one.
  public Key next() {
    return new Key(Arrays.copyOf(bytes, bytes.length + 1)); // with a zero
  }

  /// This key, cut where it is longer than any that is stored. All of these are before it, beyond
  /// it or begin with it as they would if it were whole.
  public Key bound() {
    return bytes.length > MAX_BYTES + 1 ? new Key(Arrays.copyOf(bytes, MAX_BYTES + 1)) : this;
  }

  /// The bytes, which are not copied, so leave them alone.
  public byte[] bytes() {
    return bytes;
  }

  /// The key as the client calls it.
  public String text() {
    StringBuilder text = new StringBuilder(bytes.length);
    int from = 0;
    for (int at = 0; at < bytes.length; at++) {
      if (isHalfPairAt(at)) {
        text.append(new String(bytes, from, at - from, StandardCharsets.UTF_8)).append(half(at));
        from = at + 3;
      }
    }
    return text.append(new String(bytes, from, bytes.length - from, StandardCharsets.UTF_8))
        .toString();
  }

  /// Whether this key's bytes begin with those of `prefix`.
  public boolean startsWith(Key prefix) {
    int length = prefix.bytes.length;
    return bytes.length >= length && Arrays.equals(bytes, 0, length, prefix.bytes, 0, length);
  }

  /// The least key beyond all that begin with this one; none when there is nothing beyond, as with
  /// the empty key.
  public Optional<Key> afterPrefix() {
    for (int last = bytes.length - 1; last >= 0; last--) {
      if (bytes[last] != (byte) 0xff) {
        byte[] after = Arrays.copyOf(bytes, last + 1);
        after[last]++;
        return Optional.of(new Key(after));
      }
    }
    return Optional.empty();
  }

  /// Writes the key as a JSON string in UTF-8, half surrogate pairs as escapes such as `\ud800`.
  public void writeJson(OutputStream out) throws IOException {
    out.write('"');
    int from = 0;
    for (int at = 0; at < bytes.length; at++) {
      String escape = null;
      int length = 1;
      if (isHalfPairAt(at)) {
        escape = "\\u" + HexFormat.of().toHexDigits(half(at));
        length = 3;
      } else if (bytes[at] == '"' || bytes[at] == '\\') {
        escape = "\\" + (char) bytes[at];
      } else if (bytes[at] >= 0 && bytes[at] < ' ') {
        escape = "\\u" + HexFormat.of().toHexDigits((short) bytes[at]);
      }
      if (escape != null) {
        out.write(bytes, from, at - from);
        out.write(escape.getBytes(StandardCharsets.US_ASCII));
        from = at + length;
      }
    }
    out.write(bytes, from, bytes.length - from);
    out.write('"');
  }

  private static boolean isHalfPair(int codePoint) {
    return codePoint >= Character.MIN_SURROGATE && codePoint <= Character.MAX_SURROGATE;
  }

  /// Whether half a surrogate pair begins at `at`. In UTF-8 this lead byte is followed by less.
  private boolean isHalfPairAt(int at) {
    return (bytes[at] & 0xff) == HALF_PAIR_LEAD && (bytes[at + 1] & 0xff) >= HALF_PAIR_SECOND;
  }

  private char half(int at) {
    return (char) (0xd000 | ((bytes[at + 1] & 0x3f) << 6) | (bytes[at + 2] & 0x3f));
  }

  @Override
  public int compareTo(Key other) {
    return Arrays.compareUnsigned(bytes, other.bytes);
  }

  @Override
  public boolean equals(Object other) {
    return other instanceof Key key && Arrays.equals(bytes, key.bytes);
  }

  @Override
  public int hashCode() {
    return Arrays.hashCode(bytes);
  }

  /// The text, for tests and debuggers; keys are user content and stay out of logs.
  @Override
  public String toString() {
    return text();
  }
}
