package dev.replistream.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;

/// What kinds of bodies routes take. Stateless.
public final class MediaTypes {
  private static final String JSON = "application/json";

  /// A JSON Merge Patch (RFC 7396, section 4).
  public static final String MERGE_PATCH = "application/merge-patch+json";

  private MediaTypes() {}

  /// Refuses a body that is said to be anything but JSON.
  ///
  /// @throws ProblemException 415
  public static void requireJson(ServerRequest request) {
    if (request.headers().contains(HeaderNames.CONTENT_TYPE)) {
      require(request, JSON);
    }
  }

  /// Refuses a body that is not said to be of a type.
  ///
  /// @throws ProblemException 415
  public static void require(ServerRequest request, String type) {
    String value =
        request.headers().contains(HeaderNames.CONTENT_TYPE)
            ? request.headers().get(HeaderNames.CONTENT_TYPE).get()
            : "";
    if (!value.split(";", 2)[0].strip().equalsIgnoreCase(type)) {
      throw Problem.of(
              Status.UNSUPPORTED_MEDIA_TYPE_415, "Send the body as Content-Type " + type + ".")
          .toException();
    }
  }
}
