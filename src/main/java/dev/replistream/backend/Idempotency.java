package dev.replistream.backend;

import dev.replistream.auth.Caller;
import dev.replistream.data.IdempotencyStore;
import dev.replistream.data.Spaces;
import dev.replistream.db.Session;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.http.Routes;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A request that is done once however often it is sent: the header `Idempotency-Key`
/// (draft-ietf-httpapi-idempotency-key-header). The answer stands in the transaction that does what
/// was asked for, so neither is there without the other. Immutable.
///
/// @param key empty where the request has none
/// @param request its SHA-256
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
record Idempotency(Caller caller, Optional<String> key, byte[] request) {
  private static final HeaderName HEADER = HeaderNames.create("Idempotency-Key");

  /// A string of RFC 8941, section 3.3.3, or what many send without quotes.
  private static final Pattern KEY =
      Pattern.compile(
          "\"((?:[\\x20\\x21\\x23-\\x5b\\x5d-\\x7e]|\\\\[\"\\\\]){1,255})\"|([\\w.:/+=-]{1,255})");

  /// How many answers are kept of a user, who is no backend service.
  private static final int MOST_OF_USER = 1_000;

  /// The answer to a request.
  ///
  /// @param body JSON in UTF-8
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  record Answer(Status status, byte[] body) {
    void send(ServerResponse response) {
      response.status(status);
      if (status.code() >= Status.BAD_REQUEST_400.code()) {
        response.header(HeaderNames.CONTENT_TYPE, Problem.CONTENT_TYPE);
        response.send(body);
      } else {
        Routes.sendJson(response, body);
      }
    }
  }

  /// What the request asks for.
  @FunctionalInterface
  interface Step {
    /// Does it in the transaction.
    ///
    /// @throws ProblemException what is wrong, and then nothing was done
    Answer run() throws SQLException;
  }

  /// Reads the header of a request.
  ///
  /// @throws ProblemException 400 when it is not one key
  static Idempotency of(ServerRequest request, Caller caller, byte[] body) {
    Optional<String> key = Optional.empty();
    if (request.headers().contains(HEADER)) {
      List<String> values = request.headers().get(HEADER).allValues();
      Matcher matcher = KEY.matcher(values.getFirst().strip());
      if (values.size() > 1 || !matcher.matches()) {
        throw Access.bad(
            "Idempotency-Key is one string of 1 to 255 characters in quotes, such as a UUID.");
      }
      key = Optional.of(matcher.group(matcher.group(1) == null ? 2 : 1));
    }
    MessageDigest sha = sha256();
    sha.update(request.path().rawPath().getBytes(StandardCharsets.UTF_8));
    sha.update((byte) 0);
    return new Idempotency(caller, key, sha.digest(body));
  }

  private static MessageDigest sha256() {
    try {
      return MessageDigest.getInstance("SHA-256");
    } catch (NoSuchAlgorithmException e) {
      throw new IllegalStateException("every JDK has SHA-256", e);
    }
  }

  /// Runs `step`, or answers what it was answered before. What a step refuses is answered the same
  /// again too, but that the disk was full.
  ///
  /// @throws ProblemException 422 when the key was used for another request, 429 when the user has
  ///   used too many, or as the step does where there is no key
  Answer run(Session session, Spaces spaces, Instant now, Step step) throws SQLException {
    if (key.isEmpty()) {
      return step.run();
    }
    IdempotencyStore store = new IdempotencyStore(session);
    String userId = caller.userId();
    boolean isFull = !Access.isWriter(caller) && store.hasMany(userId, MOST_OF_USER);
    Optional<IdempotencyStore.Kept> kept = store.take(userId, key.get(), request, now);
    if (kept.isPresent()) {
      return again(kept.get());
    }
    if (isFull) {
      throw Problem.of(
              Status.TOO_MANY_REQUESTS_429,
              "This user has used %s idempotency keys within a day: send the next without one, or wait."
                  .formatted(MOST_OF_USER))
          .with(HeaderNames.RETRY_AFTER, "3600")
          .toException();
    }
    Answer answer = answer(spaces, step);
    store.keep(userId, key.get(), answer.status().code(), answer.body());
    return answer;
  }

  private Answer again(IdempotencyStore.Kept kept) {
    if (!MessageDigest.isEqual(kept.request(), request)) {
      throw Problem.of(
              Access.UNPROCESSABLE_CONTENT,
              "This Idempotency-Key was used for another request: give each request a key of its own.")
          .toException();
    }
    return new Answer(Status.create(kept.status()), kept.content());
  }

  private static Answer answer(Spaces spaces, Step step) throws SQLException {
    try {
      return spaces.inSavepoint(_ -> step.run());
    } catch (ProblemException e) {
      Problem problem = e.problem();
      if (problem.status().code() >= Status.INTERNAL_SERVER_ERROR_500.code()) {
        throw e;
      }
      return new Answer(problem.status(), problem.toJson());
    }
  }
}
