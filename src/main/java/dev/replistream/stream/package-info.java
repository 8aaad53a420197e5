/// Who is connected: each stream is a {@link dev.replistream.stream.Connection} with a queue, and
/// {@link dev.replistream.stream.SseManager} knows them all by user. A connection's loop runs on
/// its own virtual thread; pokes come from any thread and only ever offer to a queue. It knows
/// `http`, `auth` and `poke`.
@NullMarked
package dev.replistream.stream;

import org.jspecify.annotations.NullMarked;
