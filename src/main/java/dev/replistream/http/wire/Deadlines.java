package dev.replistream.http.wire;

import java.time.Duration;

/// How long a connection may keep the server waiting.
///
/// @param idle between two requests, before the first byte of the next one
/// @param head from the first byte of a request to the end of its head
/// @param body from the end of the head to the last byte of the body, and a second more for each 16
///   KiB that has come
/// @param write one write, until the client's side has taken its bytes
public record Deadlines(Duration idle, Duration head, Duration body, Duration write) {}
