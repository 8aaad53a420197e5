package dev.replistream.auth;

import dev.replistream.http.UrlHost;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URL;
import java.time.Duration;
import java.util.Locale;

/// The URL of a JWK set. Immutable.
///
/// It is read with the plain client of the JDK, which keeps no thread and no connection: a set is
/// read a few times an hour.
final class JwksUrl {
  /// How long connecting, and waiting for bytes, may each take.
  static final Duration TIMEOUT = Duration.ofSeconds(5);

  /// The largest set that is read.
  static final int MAX_BYTES = 1 << 20;

  private static final int CHUNK_BYTES = 8 * 1024;

  private final URL url;
  private final Duration timeout;

  /// @throws KeysException when the URL is not http or https, or holds a user and password
  JwksUrl(URI uri, Duration timeout) {
    String scheme = uri.getScheme() == null ? "" : uri.getScheme().toLowerCase(Locale.ROOT);
    boolean http = scheme.equals("http") || scheme.equals("https");
    if (!http || UrlHost.of(uri).isEmpty() || uri.getUserInfo() != null) {
      throw notUsable();
    }
    try {
      this.url = uri.toURL();
    } catch (MalformedURLException _) {
      throw notUsable();
    }
    this.timeout = timeout;
  }

  Duration timeout() {
    return timeout;
  }

  /// The document, read anew. Redirects are followed within the scheme. An interrupt of a virtual
  /// thread ends the read.
  ///
  /// @throws Failure when the answer is not 200, too large, too slow, or none; its message is a
  ///   word for the log
  byte[] read() throws Failure {
    HttpURLConnection connection = null;
    try {
      connection = (HttpURLConnection) url.openConnection();
      connection.setConnectTimeout(Math.toIntExact(timeout.toMillis()));
      connection.setReadTimeout(Math.toIntExact(timeout.toMillis()));
      connection.setUseCaches(false);
      connection.setRequestProperty("Accept", "application/jwk-set+json, application/json");
      connection.setRequestProperty("Connection", "close");
      int status = connection.getResponseCode();
      if (status != HttpURLConnection.HTTP_OK) {
        throw new Failure("status-" + status);
      }
      return body(connection);
    } catch (IOException e) {
      // the message may hold the query of the URL, and with it a key of the operator's
      throw new Failure(e.getClass().getSimpleName());
    } finally {
      if (connection != null) {
        connection.disconnect();
      }
    }
  }

  private static byte[] body(HttpURLConnection connection) throws IOException, Failure {
    InputStream in = connection.getInputStream(); // disconnecting closes it, without draining it
    ByteArrayOutputStream document = new ByteArrayOutputStream();
    byte[] chunk = new byte[CHUNK_BYTES];
    for (int count = in.read(chunk); count != -1; count = in.read(chunk)) {
      document.write(chunk, 0, count);
      if (document.size() > MAX_BYTES) {
        throw new Failure("too-large");
      }
    }
    return document.toByteArray();
  }

  /// The host and the path; a query may hold what is not for the log.
  @Override
  public String toString() {
    return url.getProtocol() + "://" + url.getAuthority() + url.getPath();
  }

  private static KeysException notUsable() {
    return new KeysException(
        Keys.JWKS + ": the URL must be http or https, with a host and without a password");
  }

  /// A read that failed, in one word.
  static final class Failure extends Exception {
    Failure(String word) {
      super(word, null, false, false);
    }
  }
}
