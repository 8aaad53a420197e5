package dev.replistream.nodes;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;

/// The scripts that Redis runs, each in one step (`src/main/resources/redis`).
enum RedisScript {
  /// Stamps a poke and sends it to where the user's streams are.
  POKE,
  /// Lets a connection in, within the user's limit.
  JOIN,
  /// Sets how many streams of a user this node holds.
  COUNT,
  /// Tells a user's last stamp.
  LATEST,
  /// Tells how many streams of a user the other nodes hold, and since when it is present.
  ELSEWHERE,
  /// Renews the node's lease.
  BEAT,
  /// Makes everything that was seen before an outage count as missed.
  RECOVER,
  /// Notes a ticket among the latest of its user.
  ISSUE,
  /// Keeps a ticket.
  KEEP,
  /// Takes a ticket.
  TAKE,
  /// Sends a message to all nodes, or to one.
  TELL,
  /// Sends a question to where the user's streams are.
  ASK,
  /// Gives up the node's lease.
  LEAVE,
  /// Tells by which policy Redis takes away what it holds.
  POLICY;

  /// Tells what the user of a connection may not do of all this: to be sent as it is.
  static final String CHECK = resource("check");

  private final String text;
  private final String hash;

  RedisScript() {
    text = resource("common") + resource(name().toLowerCase(Locale.ROOT));
    hash = sha1(text);
  }

  /// What it does.
  String text() {
    return text;
  }

  /// Its name in Redis, once that has seen its text: the SHA-1 in lower-case hexadecimal digits.
  String hash() {
    return hash;
  }

  private static String resource(String name) {
    try (InputStream in = RedisScript.class.getResourceAsStream("/redis/" + name + ".lua")) {
      if (in == null) {
        throw new IllegalStateException("no script " + name);
      }
      return new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private static String sha1(String text) {
    try {
      return HexFormat.of()
          .formatHex(
              MessageDigest.getInstance("SHA-1").digest(text.getBytes(StandardCharsets.UTF_8)));
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e);
    }
  }
}
