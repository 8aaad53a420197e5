/// Who is connected: each stream is a {@link dev.replistream.stream.Connection} with a queue, over
/// which its own virtual thread loops, whatever its transport, and {@link
/// dev.replistream.stream.SseManager} knows them all by user. What comes from other threads, such
/// as pokes, is written by those, or left for the loop. It knows `http`, `auth`, `poke`, `nodes`
/// and `presence`.
@NullMarked
package dev.replistream.stream;

import org.jspecify.annotations.NullMarked;
