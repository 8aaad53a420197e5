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
  /// Copies the spaces, and sorts them by their ids.
  Cookie {
    spaces = Collections.unmodifiableMap(new TreeMap<>(spaces));
  }
}
