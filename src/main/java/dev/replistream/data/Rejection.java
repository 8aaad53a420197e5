package dev.replistream.data;

import dev.replistream.api.JsonValue;

/// A mutation that was acknowledged without effect, as its author is told. What is longer than may
/// be kept is cut. Immutable.
///
/// @param clientID the client that made the mutation
/// @param id the client's number for it
/// @param name which mutator it was for; at most 128 characters
/// @param code names the reason for programs; at most 128 characters
/// @param message says why; at most 1,024 characters
public record Rejection(String clientID, long id, String name, String code, String message) {
  private static final int MAX_NAME_LENGTH = 128;
  private static final int MAX_CODE_LENGTH = 128;
  private static final int MAX_MESSAGE_LENGTH = 1_024;

  /// Cuts what is too long.
  public Rejection {
    name = cut(name, MAX_NAME_LENGTH);
    code = cut(code, MAX_CODE_LENGTH);
    message = cut(message, MAX_MESSAGE_LENGTH);
  }

  /// As much of the text as may stay, without half of a surrogate pair at its end; who gave it may
  /// have cut it there too.
  private static String cut(String text, int maxLength) {
    if (text.length() < maxLength) {
      return text;
    }
    boolean isHalf = Character.isHighSurrogate(text.charAt(maxLength - 1));
    return text.substring(0, isHalf ? maxLength - 1 : maxLength);
  }

  /// The JSON that the author is told, on one line.
  ///
  /// @param seq its number among the user's
  byte[] toJson(long seq) {
    return JsonValue.object()
        .with("seq", seq)
        .with("clientID", clientID)
        .with("id", id)
        .with("name", name)
        .with("code", code)
        .with("message", message)
        .build()
        .toBytes();
  }
}
