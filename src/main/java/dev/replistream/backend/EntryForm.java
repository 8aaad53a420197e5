package dev.replistream.backend;

import dev.replistream.http.Problem;
import io.helidon.common.media.type.MediaType;
import io.helidon.common.media.type.MediaTypes;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;

/// How entries go out.
enum EntryForm {
  /// As one JSON object.
  OBJECT("application/json"),
  /// As a JSON object a line, `application/x-ndjson`.
  LINES("application/x-ndjson");

  private static final MediaType NDJSON = MediaTypes.create(LINES.contentType);

  private final String contentType;

  EntryForm(String contentType) {
    this.contentType = contentType;
  }

  /// What a request wants: JSON unless it says otherwise.
  ///
  /// @throws dev.replistream.http.ProblemException 406 where it takes neither
  static EntryForm of(ServerRequest request) {
    return request
        .headers()
        .bestAccepted(MediaTypes.APPLICATION_JSON, NDJSON)
        .map(type -> type.equals(NDJSON) ? LINES : OBJECT)
        .orElseThrow(() ->
            Problem.of(
                    Status.NOT_ACCEPTABLE_406, "Accept application/json or application/x-ndjson.")
                .toException());
  }

  /// The header that names it.
  Header contentType() {
    return HeaderValues.create(HeaderNames.CONTENT_TYPE, contentType);
  }
}
