package dev.replistream.data;

import dev.replistream.api.Role;
import java.time.Instant;

/// A link by which users join a room, without the code that it needs. Immutable.
///
/// @param id names the link to the room's owners, and lets nobody in
/// @param role what those become who join by it
/// @param createdBy the owner who made it
/// @param usesLeft how many more may join by it
public record RoomLink(
    String id, String room, Role role, String createdBy, Instant expiresAt, int usesLeft) {}
