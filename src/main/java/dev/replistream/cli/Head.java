package dev.replistream.cli;

import java.net.http.HttpClient.Version;
import java.net.http.HttpHeaders;
import java.time.Instant;
import java.util.Optional;

/// The head of a response, exactly as it came, and when. Immutable.
///
/// @param status its status, 100 to 599
/// @param version the version of HTTP that was spoken
/// @param headers its headers
/// @param sentAt when the request was sent
/// @param sentNanoTime the same by {@link System#nanoTime}
/// @param receivedAt when the head had come
record Head(
    int status,
    Version version,
    HttpHeaders headers,
    Instant sentAt,
    long sentNanoTime,
    Instant receivedAt) {

  /// A header's value, that of several joined by commas (RFC 9110, section 5.3); empty when there
  /// is none.
  Optional<String> header(String name) {
    return headers.allValues(name).isEmpty()
        ? Optional.empty()
        : Optional.of(String.join(", ", headers.allValues(name)));
  }

  /// `HTTP/1.1` or `HTTP/2`.
  String protocol() {
    return version == Version.HTTP_2 ? "HTTP/2" : "HTTP/1.1";
  }
}
