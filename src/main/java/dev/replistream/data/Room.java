package dev.replistream.data;

import dev.replistream.api.Role;
import java.time.Instant;

/// A room as one of its members sees it.
///
/// @param role what the member may do in it
public record Room(String id, Role role, Instant createdAt) {}
