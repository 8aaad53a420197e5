package dev.replistream.auth;

import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.regex.Pattern;

/// The secret that a server in development mode makes for itself and keeps.
public final class DevelopmentKey {
  private static final String FILE_NAME = "development.key";
  private static final int KEY_BYTES = 32;
  private static final Pattern TEXT = Pattern.compile("[A-Za-z0-9_-]{43}");
  private static final int MAX_FILE_BYTES = 64;

  private DevelopmentKey() {}

  /// The secret of HS256 in `development.key` under `dataDir`: 256 random bits as base64url. A file
  /// that is missing is made, readable by its owner alone; processes that start at once agree on
  /// one secret.
  ///
  /// @throws KeysException when the file is not what this method once wrote, or can't be read or
  ///   made
  public static String loadOrCreate(Path dataDir) {
    Path file = dataDir.resolve(FILE_NAME);
    try {
      if (Files.notExists(file)) {
        create(dataDir, file);
      }
      return read(file);
    } catch (IOException _) {
      throw new KeysException(
          "replistream.data-dir: can't read or make the development key in " + file);
    }
  }

  /// The secret that a server with this `dataDir` has made.
  ///
  /// @throws KeysException when it has made none here, or it can't be read; nothing is made
  public static String load(Path dataDir) {
    Path file = file(dataDir);
    if (Files.notExists(file)) {
      throw new KeysException(
          "there is no development key at %s: run this in the directory where the server was started,"
                  .formatted(file)
              + " name its replistream.data-dir, or give a token");
    }
    try {
      return read(file);
    } catch (IOException _) {
      throw new KeysException("replistream.data-dir: can't read the development key " + file);
    }
  }

  /// Where the secret is or will be, from the root of the file system.
  public static Path file(Path dataDir) {
    return dataDir.resolve(FILE_NAME).toAbsolutePath().normalize();
  }

  private static String read(Path file) throws IOException {
    try (InputStream in = Files.newInputStream(file)) {
      String text = new String(in.readNBytes(MAX_FILE_BYTES), StandardCharsets.ISO_8859_1).strip();
      if (!TEXT.matcher(text).matches()) {
        throw new KeysException(
            "replistream.data-dir: %s is damaged; remove it, and a new key is made"
                .formatted(file));
      }
      return text;
    }
  }

  /// Writes the key beside its place and then links it there: the link fails when another process
  /// was first, and nobody ever sees half a key.
  private static void create(Path dataDir, Path file) throws IOException {
    byte[] key = new byte[KEY_BYTES];
    new SecureRandom().nextBytes(key);
    String text = Base64.getUrlEncoder().withoutPadding().encodeToString(key) + '\n';
    Files.createDirectories(dataDir);
    Path draft = Files.createTempFile(dataDir, FILE_NAME, ".draft"); // the owner's alone
    try {
      Files.writeString(
          draft,
          text,
          StandardCharsets.US_ASCII,
          StandardOpenOption.WRITE,
          StandardOpenOption.SYNC);
      Files.createLink(file, draft);
    } catch (FileAlreadyExistsException _) {
      // the other process's key is as good
    } finally {
      Files.deleteIfExists(draft);
    }
  }
}
