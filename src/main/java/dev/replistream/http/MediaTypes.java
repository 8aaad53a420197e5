package dev.replistream.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;

/// What kinds of bodies routes take. Stateless.
public final class MediaTypes {
  private static final String JSON = "application/json";

  private MediaTypes() {}

  /// Refuses a body that is said to be anything but JSON.
  ///
  /// @throws ProblemException 415
  public static void requireJson(ServerRequest request) {
    if (!request.headers().contains(HeaderNames.CONTENT_TYPE)) {
      return;
    }
    String value = request.headers().get(HeaderNames.CONTENT_TYPE).get();
    if (!value.split(";", 2)[0].strip().equalsIgnoreCase(JSON)) {
      throw Problem.of(
              Status.UNSUPPORTED_MEDIA_TYPE_415, "Send the body as Content-Type " + JSON + ".")
          .toException();
    }
  }
}
