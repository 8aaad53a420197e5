package dev.replistream;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/// One request, to be written to a connection as it stands. Immutable.
///
/// @param headers lines without their ends
public record HttpRequest(String method, String target, List<String> headers, String body) {
  /// A request of a route of the API.
  ///
  /// @param route what follows `/api/v1/replicache`
  public static HttpRequest api(String method, String route) {
    return new HttpRequest(method, Application.API + route, List.of(), "");
  }

  /// A request of any other path.
  public static HttpRequest of(String method, String target) {
    return new HttpRequest(method, target, List.of(), "");
  }

  /// This request with one more header.
  public HttpRequest with(String name, String value) {
    List<String> more = new ArrayList<>(headers);
    more.add(name + ": " + value);
    return new HttpRequest(method, target, more, body);
  }

  /// This request with a token.
  public HttpRequest by(String token) {
    return with("Authorization", "Bearer " + token);
  }

  /// This request with a body, whose length it tells.
  public HttpRequest with(String content) {
    int length = content.getBytes(StandardCharsets.UTF_8).length;
    return new HttpRequest(
        method, target, with("Content-Length", Integer.toString(length)).headers(), content);
  }

  /// The bytes on the wire.
  public byte[] toBytes() {
    StringBuilder text = new StringBuilder(method + " " + target + " HTTP/1.1\r\n");
    if (headers.stream().noneMatch(header -> header.startsWith("Host:"))) {
      text.append("Host: localhost\r\n");
    }
    headers.forEach(header -> text.append(header).append("\r\n"));
    return text.append("\r\n").append(body).toString().getBytes(StandardCharsets.UTF_8);
  }
}
