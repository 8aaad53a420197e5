package dev.replistream.sync;

import java.util.Collections;
import java.util.Map;
import java.util.TreeMap;

/// Exactly what a client holds, in a cookie that this server signed for this user. Immutable.
///
/// @param order the cookie's place among the client's cookies
/// @param epoch which database it is from; one of another epoch says nothing about this one
/// @param group the client group that earned it
/// @param acked the version of that group up to which its mutations were acknowledged
/// @param spaces the version of each space that the client holds, by the space's id
record Cookie(CookieOrder order, String epoch, String group, long acked, Map<String, Long> spaces)
    implements HeldCookie {
  /// More than a group comes forward in one epoch; numbers are enough for 8,000 of them.
  private static final long EPOCH_STEP = 1L << 40;

  /// Copies the spaces, and sorts them by their ids.
  Cookie {
    spaces = Collections.unmodifiableMap(new TreeMap<>(spaces));
  }

  /// How far the client's user and group have come: it grows with each change of what cookies say,
  /// in the order of commits. Writes raise a space's version, acknowledgements the group's, whoever
  /// joins a room gets its version on top, and for whoever leaves one {@link
  /// dev.replistream.data.RoomStore} raises the private space by more than the room's.
  long progress() {
    return acked + spaces.values().stream().mapToLong(Long::longValue).sum();
  }

  /// This cookie with the order that comes after a cookie which the client sent.
  ///
  /// The tabs of a client group keep what they pulled in one place, and go by the order of the
  /// cookies to tell what is newer. So a group's orders have to follow what was pulled and not how
  /// often: an order is where the group began to count, and the progress since.
  ///
  /// In another epoch the group counts on from the same place, but for a step that brings it beyond
  /// whatever one of its tabs may hold: so they all begin at one place again.
  Cookie after(HeldCookie sent) {
    long counted = sent instanceof Cookie held ? progress() - held.progress() : 0;
    long more =
        isOfOneCount(sent)
            ? counted - 1
            : isOfEarlierEpoch(sent) ? EPOCH_STEP + counted : progress();
    return new Cookie(sent.order().next(more), epoch, group, acked, spaces);
  }

  private boolean isOfEarlierEpoch(HeldCookie sent) {
    return sent instanceof Cookie held
        && !held.epoch.equals(epoch)
        && held.group.equals(group)
        && held.progress() < EPOCH_STEP;
  }

  /// Whether the order of `sent` was counted as this one's is to be, and this is the later one: a
  /// database that was set back counts anew.
  private boolean isOfOneCount(HeldCookie sent) {
    return sent instanceof Cookie held
        && held.epoch.equals(epoch)
        && held.group.equals(group)
        && held.progress() < progress();
  }
}
