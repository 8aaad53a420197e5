package dev.replistream.sync;

/// What a client's cookie is worth to the server.
sealed interface HeldCookie permits Cookie, UnknownCookie {
  /// The order that the next cookie has to come after, for the client not to drop it.
  CookieOrder order();
}
