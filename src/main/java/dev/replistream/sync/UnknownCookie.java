package dev.replistream.sync;

/// A cookie that says nothing about what the client holds: none, another backend's, another user's,
/// or a forged one. Such a client gets `clear` and its whole view. Immutable.
///
/// @param order what the next cookie has to come after all the same
record UnknownCookie(CookieOrder order) implements HeldCookie {}
