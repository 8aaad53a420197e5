package dev.replistream.nodes;

/// Redis did not answer, or not as it should. Whether it did what it was asked to is not known.
final class RedisUnavailableException extends RuntimeException {
  RedisUnavailableException(String message) {
    super(message);
  }

  RedisUnavailableException(Throwable cause) {
    super(cause);
  }
}
