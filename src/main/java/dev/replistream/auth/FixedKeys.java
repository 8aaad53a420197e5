package dev.replistream.auth;

import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;

/// Keys that stay what they were at the start. Immutable.
final class FixedKeys extends Keys {
  private final KeySet keys;

  FixedKeys(KeySet keys) {
    this.keys = keys;
  }

  static FixedKeys ofFile(Path file) {
    try (InputStream in = Files.newInputStream(file)) {
      byte[] document = in.readNBytes(JwksUrl.MAX_BYTES + 1);
      if (document.length > JwksUrl.MAX_BYTES) {
        throw new KeysException("%s: %s is larger than 1 MiB".formatted(JWKS, file));
      }
      return new FixedKeys(KeySet.parse(document, file.toString()));
    } catch (IOException _) {
      throw new KeysException("%s: can't read the file %s".formatted(JWKS, file));
    }
  }

  @Override
  KeySet latest() {
    return keys;
  }

  @Override
  KeySet current() {
    return keys;
  }

  @Override
  KeySet refreshed() {
    return keys;
  }
}
