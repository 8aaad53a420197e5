package dev.replistream;

/// One event as a browser would dispatch it. Immutable.
///
/// @param type `message` where the stream names none
/// @param data the lines of data
/// @param lastEventId the last id that the stream has named so far, or nothing
public record ServerSentEvent(String type, String data, String lastEventId) {
  /// The stamp in the id.
  public long stamp() {
    return Long.parseLong(lastEventId.substring(lastEventId.indexOf('-') + 1));
  }
}
