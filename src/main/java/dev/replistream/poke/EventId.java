package dev.replistream.poke;

import java.util.Optional;
import java.util.regex.Pattern;

/// The `id:` of a stream's event: how far a client has come, as the stamp of the last poke that it
/// knows of, within an epoch. Written `7f3a5c01-42`: at most 128 bytes of safe characters, so a
/// cross-origin `Last-Event-ID` needs no preflight of its own (WHATWG HTML, server-sent events).
///
/// @param epoch which run of the counter the stamp belongs to
/// @param stamp 0 or more
public record EventId(String epoch, long stamp) {
  private static final Pattern FORM = Pattern.compile("([0-9a-z]{1,32})-([0-9]{1,18})");

  /// Reads what {@link #toString} wrote; anything else is no id.
  public static Optional<EventId> parse(String text) {
    var matcher = FORM.matcher(text);
    return matcher.matches()
        ? Optional.of(new EventId(matcher.group(1), Long.parseLong(matcher.group(2))))
        : Optional.empty();
  }

  @Override
  public String toString() {
    return epoch + "-" + stamp;
  }
}
