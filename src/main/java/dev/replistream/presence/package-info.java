/// Who is there: which of a room's members are connected, on this node or another, and the feeds
/// that tell clients of it. Thread-safe; nothing here knows HTTP.
@NullMarked
package dev.replistream.presence;

import org.jspecify.annotations.NullMarked;
