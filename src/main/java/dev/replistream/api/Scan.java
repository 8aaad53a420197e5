package dev.replistream.api;

import java.util.Objects;
import java.util.Optional;

/// Which entries a scan gives: of the caller's client view or of a room, those whose key begins
/// with a prefix, from a start on, up to a number. They come in the order of their keys as UTF-8
/// bytes. It means what the options of `scan` mean to Replicache's client. Immutable.
///
/// ```java
/// List<Entry> page = transaction.scan(Scan.prefix("todo/").after(last).limit(100));
/// ```
///
/// @param room the room; empty for the caller's client view
/// @param prefix what the keys begin with; "" for all
/// @param start the least key, if it is there; one before the prefix says nothing, and beyond the
///   keys that begin with the prefix there is nothing. It may be longer than a key may be
/// @param isStartExclusive whether the entry of `start` itself is left out
/// @param limit how many entries at most; 0 for none, `Integer.MAX_VALUE` for all. It costs about
///   as much as these take to read, however many there are beyond
public record Scan(
    Optional<String> room,
    String prefix,
    Optional<String> start,
    boolean isStartExclusive,
    int limit) {
  private static final Scan ALL =
      new Scan(Optional.empty(), "", Optional.empty(), false, Integer.MAX_VALUE);

  /// Refuses null.
  ///
  /// @throws IllegalArgumentException when the limit is below 0
  public Scan {
    Objects.requireNonNull(room);
    Objects.requireNonNull(prefix);
    Objects.requireNonNull(start);
    if (limit < 0) {
      throw new IllegalArgumentException("the limit of a scan is below 0");
    }
  }

  /// Every entry of the caller's client view.
  public static Scan all() {
    return ALL;
  }

  /// The entries of the caller's client view whose key begins with `prefix`.
  public static Scan prefix(String prefix) {
    return new Scan(Optional.empty(), prefix, Optional.empty(), false, Integer.MAX_VALUE);
  }

  /// The same of a room.
  public Scan in(String room) {
    return new Scan(Optional.of(room), prefix, start, isStartExclusive, limit);
  }

  /// The same from `key` on, which need not be there.
  public Scan from(String key) {
    return new Scan(room, prefix, Optional.of(key), false, limit);
  }

  /// The same with what comes after `key`, which need not be there.
  public Scan after(String key) {
    return new Scan(room, prefix, Optional.of(key), true, limit);
  }

  /// The first `limit` of these entries.
  ///
  /// @param limit 0 for none, `Integer.MAX_VALUE` for all
  /// @throws IllegalArgumentException when it is below 0
  public Scan limit(int limit) {
    return new Scan(room, prefix, start, isStartExclusive, limit);
  }

  /// The keys among which it looks.
  public KeyRange keys() {
    Key begin = Key.of(prefix).bound();
    Key first = start.map(Key::of).map(key -> isStartExclusive ? key.next() : key).orElse(begin);
    return new KeyRange(first.compareTo(begin) < 0 ? begin : first.bound(), begin);
  }
}
