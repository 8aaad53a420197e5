package dev.replistream.rejection;

import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.RejectionStore.Kept;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.http.Problem;
import dev.replistream.http.Routes;
import dev.replistream.http.Unavailable;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.regex.Pattern;

/// `GET /rejections`: which of the caller's mutations were acknowledged without effect.
/// Thread-safe.
public final class RejectionHandler implements Handler {
  private static final byte[] BEGIN = "{\"rejections\":[".getBytes(StandardCharsets.US_ASCII);
  private static final byte[] END = "]}".getBytes(StandardCharsets.US_ASCII);

  /// Up to 2^53 and a little beyond.
  private static final Pattern NUMBER = Pattern.compile("[0-9]{1,16}");

  private final Authenticator authenticator;
  private final Rejections rejections;

  /// A handler that answers what `rejections` has.
  public RejectionHandler(Authenticator authenticator, Rejections rejections) {
    this.authenticator = authenticator;
    this.rejections = rejections;
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    List<Kept> found = since(caller.userId(), after(request));
    ByteArrayOutputStream body = new ByteArrayOutputStream(192 * (1 + found.size()));
    body.writeBytes(BEGIN);
    for (int i = 0; i < found.size(); i++) {
      if (i > 0) {
        body.write(',');
      }
      body.writeBytes(found.get(i).json());
    }
    body.writeBytes(END);
    Routes.sendJson(response, body.toByteArray());
  }

  private static long after(ServerRequest request) {
    String after = request.query().isEmpty() ? "0" : request.query().first("after").orElse("0");
    if (!NUMBER.matcher(after).matches()) {
      throw Problem.of(
              Status.BAD_REQUEST_400, "after is the seq of the last rejection that you have.")
          .toException();
    }
    return Long.parseLong(after);
  }

  private List<Kept> since(String userId, long after) {
    try {
      return rejections.since(userId, after);
    } catch (DatabaseUnavailableException _) {
      throw Unavailable.problem();
    }
  }
}
