package dev.replistream.api;

import java.time.Instant;

/// A member of a room.
///
/// @param since when the user joined
public record Member(String userId, Role role, Instant since) {}
