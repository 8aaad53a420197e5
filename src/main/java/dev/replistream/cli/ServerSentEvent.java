package dev.replistream.cli;

import java.time.Duration;
import java.util.Optional;

/// One event of a stream, as a client dispatches it. Immutable.
///
/// @param id what the event itself gave as `id:`, where it gave one
/// @param type what it gave as `event:`, or `message`
/// @param data its lines of `data:`, joined by line feeds
/// @param retry what it gave as `retry:`, where it gave one
record ServerSentEvent(Optional<String> id, String type, String data, Optional<Duration> retry) {}
