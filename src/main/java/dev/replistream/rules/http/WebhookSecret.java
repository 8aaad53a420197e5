package dev.replistream.rules.http;

import dev.replistream.json.Json;
import java.io.FilterOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.Base64;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// The secret that signs requests as Standard Webhooks 1.0 has it ("Signature scheme", symmetric).
/// Immutable.
public final class WebhookSecret {
  private static final String PREFIX = "whsec_";
  private static final int LEAST_BYTES = 24;
  private static final int MOST_BYTES = 64;
  private static final String ALGORITHM = "HmacSHA256";

  private final SecretKeySpec key;

  private WebhookSecret(byte[] key) {
    this.key = new SecretKeySpec(key, ALGORITHM);
  }

  /// Reads a secret in its usual form: `whsec_` and the Base64 of 24 to 64 bytes.
  ///
  /// @throws IllegalArgumentException when it has another form; the message has nothing of it
  public static WebhookSecret parse(String text) {
    try {
      byte[] key =
          Base64.getDecoder()
              .decode(text.startsWith(PREFIX) ? text.substring(PREFIX.length()) : "");
      if (key.length >= LEAST_BYTES && key.length <= MOST_BYTES) {
        return new WebhookSecret(key);
      }
    } catch (IllegalArgumentException _) {
      // said below, without the text
    }
    throw new IllegalArgumentException(
        "%s and the Base64 of %s to %s random bytes, such as what openssl rand -base64 32 prints"
            .formatted(PREFIX, LEAST_BYTES, MOST_BYTES));
  }

  /// A body's signature, and how long it is.
  ///
  /// @param header what stands in `webhook-signature`
  /// @param bytes the length of the body
  record Signature(String header, long bytes) {}

  /// Signs a body, which is written for this, and never held as a whole.
  ///
  /// @param id without a full stop
  /// @param seconds since 1970
  Signature sign(String id, long seconds, Json.Writer body) {
    Mac mac = mac();
    mac.update((id + "." + seconds + ".").getBytes(StandardCharsets.UTF_8));
    Counter counter = new Counter(mac);
    try {
      Json.write(counter, body);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Signature(
        "v1," + Base64.getEncoder().encodeToString(mac.doFinal()), counter.written);
  }

  private Mac mac() {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      return mac;
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JDK has HMAC-SHA256", e);
    }
  }

  private static final class Counter extends FilterOutputStream {
    private final Mac mac;
    private long written;

    Counter(Mac mac) {
      super(OutputStream.nullOutputStream());
      this.mac = mac;
    }

    @Override
    public void write(int one) {
      mac.update((byte) one);
      written++;
    }

    @Override
    public void write(byte[] part, int offset, int length) {
      mac.update(part, offset, length);
      written += length;
    }
  }

  @Override
  public String toString() {
    return PREFIX + "...";
  }
}
