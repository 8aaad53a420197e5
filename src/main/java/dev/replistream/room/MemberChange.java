package dev.replistream.room;

/// A user who became a member of a room, or is one no more.
public record MemberChange(String room, String userId) {}
