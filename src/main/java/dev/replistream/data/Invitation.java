package dev.replistream.data;

import dev.replistream.api.Role;
import java.time.Instant;

/// An invitation to a room, as the invited user and the room's owners see it. Immutable.
///
/// @param userId who is invited
/// @param role what they become when they accept
/// @param invitedBy the owner who invited them
public record Invitation(
    String room, String userId, Role role, String invitedBy, Instant invitedAt) {}
