package dev.replistream.web;

import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/// A file for the browser, with the headers it goes out with. Immutable.
///
/// A browser asks for it anew each time, and gets 304 while it is the same (RFC 9110, section
/// 13.1.2): a new version of the server is seen at once.
final class Asset {
  private static final List<Header> COMMON =
      List.of(
          HeaderValues.createCached(HeaderNames.CACHE_CONTROL, "no-cache"),
          HeaderValues.createCached("X-Content-Type-Options", "nosniff"),
          HeaderValues.createCached("Referrer-Policy", "no-referrer"));

  private final byte[] content;
  private final String etag;
  private final List<Header> headers;

  /// A file with this content, whose name's end says what it is.
  Asset(String name, byte[] content, List<Header> headers) {
    this.content = content.clone();
    this.etag = etag(content);
    List<Header> all = new ArrayList<>(COMMON);
    all.add(HeaderValues.create(HeaderNames.CONTENT_TYPE, contentType(name)));
    all.add(HeaderValues.create(HeaderNames.ETAG, etag));
    all.addAll(headers);
    this.headers = List.copyOf(all);
  }

  /// The content of a file of the class path, below `web`.
  ///
  /// @throws IllegalStateException when there is none, so that a server which was packed without
  ///   its files does not start
  static byte[] read(String name) {
    try (InputStream in = Asset.class.getResourceAsStream("/web/" + name)) {
      if (in == null) {
        throw new IllegalStateException("no web/" + name + " on the class path");
      }
      return in.readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Answers `GET` and `HEAD`.
  void send(ServerRequest request, ServerResponse response) {
    headers.forEach(response::header);
    if (isHeldBy(request)) {
      response.status(Status.NOT_MODIFIED_304).send();
    } else if (request.prologue().method().equals(Method.HEAD)) {
      response.contentLength(content.length);
      response.send();
    } else {
      response.send(content);
    }
  }

  /// Whether the client has this content: `If-None-Match` names its tag, weak or strong, or any.
  private boolean isHeldBy(ServerRequest request) {
    if (!request.headers().contains(HeaderNames.IF_NONE_MATCH)) {
      return false;
    }
    for (String value : request.headers().get(HeaderNames.IF_NONE_MATCH).allValues()) {
      for (String each : value.split(",", -1)) {
        String tag = each.strip();
        if (tag.equals("*") || tag.equals(etag) || tag.equals("W/" + etag)) {
          return true;
        }
      }
    }
    return false;
  }

  private static String etag(byte[] content) {
    String digest = Base64.getUrlEncoder().withoutPadding().encodeToString(sha256(content));
    return '"' + digest.substring(0, 22) + '"';
  }

  static byte[] sha256(byte[] content) {
    try {
      return MessageDigest.getInstance("SHA-256").digest(content);
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  private static String contentType(String name) {
    String extension = name.substring(name.lastIndexOf('.') + 1);
    return switch (extension) {
      case "html" -> "text/html; charset=utf-8";
      case "css" -> "text/css; charset=utf-8";
      case "js", "mjs" -> "text/javascript; charset=utf-8";
      case "ts" -> "text/plain; charset=utf-8";
      case "svg" -> "image/svg+xml";
      case "tgz" -> "application/gzip";
      case "yaml" -> "application/yaml"; // RFC 9512
      default -> throw new IllegalArgumentException("what is " + name + "?");
    };
  }
}
