package dev.replistream.web;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.zip.CRC32;

/// The client module as a package that npm installs: a tar archive (POSIX.1-2001, ustar interchange
/// format) within gzip (RFC 1952).
///
/// npm remembers the checksum of what it has installed, so the bytes depend on nothing but the
/// files: no time, no user, and blocks that are stored (RFC 1951, section 3.2.4), since each
/// release of zlib compresses in its own way.
final class ModulePackage {
  /// In the order in which npm packs them.
  private static final List<String> FILES =
      List.of("LICENSE", "replistream.js", "package.json", "README.md", "replistream.d.ts");

  private static final int RECORD_BYTES = 512;
  private static final int MAX_STORED_BYTES = 65_535;

  /// As in every package of npm, whose files are of this second of 1985: what is older than 1980
  /// fits into no zip archive.
  private static final long MODIFIED = 499_162_500;

  private ModulePackage() {}

  /// The package, of files of the class path.
  static byte[] read() {
    ByteArrayOutputStream tar = new ByteArrayOutputStream();
    for (String name : FILES) {
      byte[] content = Asset.read(name);
      tar.writeBytes(header("package/" + name, content.length));
      tar.writeBytes(content);
      tar.writeBytes(new byte[-content.length & (RECORD_BYTES - 1)]);
    }
    tar.writeBytes(new byte[2 * RECORD_BYTES]);
    return gzip(tar.toByteArray());
  }

  private static byte[] header(String name, int length) {
    ByteBuffer header = ByteBuffer.allocate(RECORD_BYTES);
    header.put(0, ascii(name));
    header.put(100, ascii("0000644"));
    header.put(108, ascii("0000000"));
    header.put(116, ascii("0000000"));
    header.put(124, ascii(octal(length)));
    header.put(136, ascii(octal(MODIFIED)));
    header.put(148, ascii(" ".repeat(8))); // what the checksum is taken with
    header.put(156, ascii("0"));
    header.put(257, ascii("ustar\00000"));
    int sum = 0;
    for (byte each : header.array()) {
      sum += Byte.toUnsignedInt(each);
    }
    header.put(148, ascii("%06o\0 ".formatted(sum)));
    return header.array();
  }

  private static String octal(long number) {
    return "%011o".formatted(number);
  }

  private static byte[] ascii(String text) {
    return text.getBytes(StandardCharsets.US_ASCII);
  }

  private static byte[] gzip(byte[] content) {
    int blocks = Math.ceilDiv(content.length, MAX_STORED_BYTES);
    ByteBuffer gzip = ByteBuffer.allocate(10 + 5 * blocks + content.length + 8);
    gzip.order(ByteOrder.LITTLE_ENDIAN);
    gzip.put(new byte[] {0x1f, (byte) 0x8b, 8, 0, 0, 0, 0, 0, 0, (byte) 0xff});
    for (int at = 0; at < content.length; at += MAX_STORED_BYTES) {
      int length = Math.min(MAX_STORED_BYTES, content.length - at);
      gzip.put((byte) (at + length == content.length ? 1 : 0));
      gzip.putShort((short) length).putShort((short) ~length);
      gzip.put(content, at, length);
    }
    CRC32 checksum = new CRC32();
    checksum.update(content);
    return gzip.putInt((int) checksum.getValue()).putInt(content.length).array();
  }
}
