package dev.replistream.inspector;

import dev.replistream.api.JsonObjectBuilder;
import dev.replistream.api.JsonValue;
import dev.replistream.json.Json;
import java.io.ByteArrayOutputStream;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;

/// A mutation that was acknowledged, as those who watch see it. Immutable.
///
/// @param userId who pushed it
/// @param clientGroupID the group of the client
/// @param clientID the client that made it
/// @param id the client's number for it
/// @param name which mutator it was for; at most 128 characters
/// @param args what the mutator was called with, as JSON; empty where that was not kept, as it was
///   too large
/// @param failure why it had no effect, where it had none
/// @param at when the transaction began in which it was run
/// @param took how long it ran
public record SeenMutation(
    String userId,
    String clientGroupID,
    String clientID,
    long id,
    String name,
    Optional<String> args,
    Optional<Failure> failure,
    Instant at,
    Duration took) {
  /// How many characters of the arguments are shown.
  static final int MAX_ARGS_LENGTH = 4_096;

  private static final double NANOS_PER_MICRO = 1_000;
  private static final double MICROS_PER_MILLI = 1_000;
  private static final byte[] ARGS = ",\"args\":".getBytes(StandardCharsets.US_ASCII);

  /// Why a mutation had no effect.
  ///
  /// @param isRejected whether that was a rule's decision, and no bug
  /// @param code names the reason for programs, as its author is told
  /// @param message says why, as its author is told
  /// @param position where in the application's file, if that is known and may be told
  public record Failure(
      boolean isRejected, String code, String message, Optional<String> position) {}

  /// The JSON that is told, in UTF-8 on one line. Arguments that are longer than 4,096 characters
  /// are cut to a string.
  byte[] toJson() {
    JsonObjectBuilder object =
        JsonValue.object()
            .with("at", Json.timestamp(at))
            .with("userId", userId)
            .with("clientGroupID", clientGroupID)
            .with("clientID", clientID)
            .with("id", id)
            .with("name", name)
            .with(
                "outcome",
                failure.map(why -> why.isRejected() ? "rejected" : "failed").orElse("applied"));
    failure.ifPresent(why -> {
      object.with("code", why.code()).with("message", why.message());
      why.position().ifPresent(where -> object.with("position", where));
    });
    object.with("millis", Math.round(took.toNanos() / NANOS_PER_MICRO) / MICROS_PER_MILLI);
    args.filter(text -> text.length() > MAX_ARGS_LENGTH)
        .ifPresent(text ->
            object
                .with("argsCut", text.substring(0, MAX_ARGS_LENGTH))
                .with("argsLength", text.length()));
    byte[] json = object.build().toBytes();
    return args.filter(text -> text.length() <= MAX_ARGS_LENGTH)
        .map(text -> withArgs(json, text))
        .orElse(json);
  }

  /// They may nest as deep as JSON may here, so the object around them is not made of values.
  private static byte[] withArgs(byte[] object, String args) {
    ByteArrayOutputStream all = new ByteArrayOutputStream(object.length + 2 * args.length());
    all.write(object, 0, object.length - 1);
    all.writeBytes(ARGS);
    all.writeBytes(JsonValue.parse(args).toBytes());
    all.write('}');
    return all.toByteArray();
  }
}
