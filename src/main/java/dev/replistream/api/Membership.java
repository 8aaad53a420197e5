package dev.replistream.api;

/// A room that a user is a member of.
///
/// @param room the room's id
/// @param role what the user may do in it
public record Membership(String room, Role role) {}
