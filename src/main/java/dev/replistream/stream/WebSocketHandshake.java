package dev.replistream.stream;

import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Headers;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Arrays;
import java.util.Base64;
import java.util.List;

/// How HTTP becomes a WebSocket: RFC 6455, sections 4.2.1 and 4.2.2. Neither subprotocols nor
/// extensions are negotiated, so none are in use. Stateless.
final class WebSocketHandshake {
  private static final HeaderName KEY = HeaderNames.create("Sec-WebSocket-Key");
  private static final HeaderName VERSION = HeaderNames.create("Sec-WebSocket-Version");
  private static final String OURS = "13";
  private static final int KEY_BYTES = 16;
  private static final String GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

  private WebSocketHandshake() {}

  /// Looks at a request that should become a WebSocket.
  ///
  /// @return the head of the response
  /// @throws ProblemException 426 when it asks for something else than a WebSocket of version 13,
  ///   400 when it is not well-formed
  static byte[] accept(ServerRequest request) {
    Headers headers = request.headers();
    if (!has(headers, HeaderNames.UPGRADE, "websocket")) {
      throw upgrade("This route is a WebSocket: send 'Upgrade: websocket', also through proxies.");
    }
    if (!has(headers, HeaderNames.CONNECTION, "upgrade")) {
      throw bad("'Upgrade' needs 'Connection: Upgrade' beside it, also through proxies.");
    }
    if (!values(headers, VERSION).equals(List.of(OURS))) {
      throw upgrade("The version of WebSockets here is 13: send 'Sec-WebSocket-Version: 13'.");
    }
    List<String> keys = values(headers, KEY);
    if (keys.size() != 1 || !isKey(keys.getFirst())) {
      throw bad("Send one 'Sec-WebSocket-Key', which is 16 bytes in base64.");
    }
    if (request.content().hasEntity()) {
      throw bad("Send no body.");
    }
    return head(keys.getFirst());
  }

  private static byte[] head(String key) {
    return """
    HTTP/1.1 101 Switching Protocols\r
    Upgrade: websocket\r
    Connection: Upgrade\r
    Sec-WebSocket-Accept: %s\r
    \r
    """
        .formatted(answer(key))
        .getBytes(StandardCharsets.US_ASCII);
  }

  /// What shows that this server speaks WebSocket.
  static String answer(String key) {
    try {
      byte[] hash =
          MessageDigest.getInstance("SHA-1")
              .digest((key + GUID).getBytes(StandardCharsets.US_ASCII));
      return Base64.getEncoder().encodeToString(hash);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException(e); // every Java has it
    }
  }

  private static boolean isKey(String text) {
    try {
      byte[] key = Base64.getDecoder().decode(text);
      return key.length == KEY_BYTES && Base64.getEncoder().encodeToString(key).equals(text);
    } catch (IllegalArgumentException _) {
      return false;
    }
  }

  private static boolean has(Headers headers, HeaderName name, String token) {
    return values(headers, name).stream()
        .flatMap(value -> Arrays.stream(value.split(",", -1)))
        .anyMatch(each -> each.strip().equalsIgnoreCase(token));
  }

  private static List<String> values(Headers headers, HeaderName name) {
    return headers.contains(name) ? headers.get(name).allValues() : List.of();
  }

  private static ProblemException bad(String detail) {
    return Problem.of(Status.BAD_REQUEST_400, detail)
        .with(HeaderNames.CONNECTION, "close") // what follows may be no HTTP
        .toException();
  }

  private static ProblemException upgrade(String detail) {
    return Problem.of(Status.create(426, "Upgrade Required"), detail)
        .with(HeaderNames.UPGRADE, "websocket")
        .with(VERSION, OURS)
        .toException();
  }
}
