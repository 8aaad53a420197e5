/// One connection, from `accept` to its end: what is put between Helidon and the socket, deadlines,
/// the head and the framing of a request, connections that a stream takes over, the fast path for
/// requests that are known, and which connections are closed when there are too many. It knows
/// `http` and JSON only, and `http` does not know it.
///
/// A connection has a virtual thread of its own. Beside those there are the sweep, which ends
/// overdue connections, the thread that sees clients leave, and the loops that answer known
/// requests.
@NullMarked
package dev.replistream.http.wire;

import org.jspecify.annotations.NullMarked;
