package dev.replistream.data;

/// A write that is refused since it would make a space larger, which has reached its limit or would
/// go beyond it. Nothing of it was written. It has no stack trace: it is an answer, not a bug.
public final class StorageFullException extends RuntimeException {
  private static final long serialVersionUID = 1;

  /// @param space the id of the space
  /// @param limit its limit in bytes
  StorageFullException(String space, long limit) {
    super(
        "the %s takes %s bytes at most: delete something first"
            .formatted(Spaces.room(space).isPresent() ? "room" : "user", limit),
        null,
        false,
        false);
  }
}
