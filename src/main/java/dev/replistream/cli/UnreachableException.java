package dev.replistream.cli;

import dev.replistream.http.UrlHost;
import java.io.EOFException;
import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.UnknownHostException;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import java.util.concurrent.TimeoutException;
import javax.net.ssl.SSLException;

/// No response came. Its message says in one line what happened, for the one who gave the URL.
final class UnreachableException extends IOException {
  private final String advice;

  private UnreachableException(String message, String advice, Throwable cause) {
    super(message, cause);
    this.advice = advice;
  }

  /// What to look at.
  String advice() {
    return advice;
  }

  /// What `cause`, which the HTTP client failed with, means for a request to `url`.
  static UnreachableException of(URI url, Throwable cause) {
    String place = url.getAuthority();
    for (Throwable t = cause; t != null; t = t.getCause()) {
      switch (t) {
        case UnresolvedAddressException _, UnknownHostException _ -> {
          return new UnreachableException(
              "there is no host named " + UrlHost.of(url).orElse(place),
              "Check the name, and its DNS.",
              cause);
        }
        case HttpConnectTimeoutException _ -> {
          return new UnreachableException(
              place + " does not answer",
              "The address is wrong, the host is down, or a firewall drops the packets.",
              cause);
        }
        case TimeoutException _ -> {
          return new UnreachableException(
              "%s takes the connection but sent no answer within %s s"
                  .formatted(place, Api.ANSWER_TIMEOUT.toSeconds()),
              StreamCheck.BUFFERING,
              cause);
        }
        case SSLException e -> {
          return new UnreachableException(
              "TLS with %s failed: %s".formatted(place, e.getMessage()),
              "If it speaks plain HTTP, write http://. If its certificate is of a private authority,"
                  + " name a trust store that holds it:"
                  + " JAVA_TOOL_OPTIONS=-Djavax.net.ssl.trustStore=FILE",
              cause);
        }
        case EOFException _ -> {
          return new UnreachableException(
              place + " closed the connection without an answer",
              "It may not speak HTTP, or speak https:// only; else its log has the reason.",
              cause);
        }
        default -> {}
      }
    }
    return cause instanceof ConnectException
        ? new UnreachableException(
            "nothing listens at " + place, "Start the service, or check the port.", cause)
        : new UnreachableException(
            "the connection to %s broke: %s".formatted(place, cause.getMessage()),
            "The log of the service or of a proxy on the way has the reason.",
            cause);
  }
}
