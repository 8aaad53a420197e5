package dev.replistream.api;

import java.time.Instant;

/// A user of a room.
///
/// @param since when the user joined
public record Member(String userId, Role role, Instant since) {}
