/// What developers see of mutations while they are pushed, and nobody pays for while nobody looks:
/// the feeds of streams that asked for it. Thread-safe.
@NullMarked
package dev.replistream.inspector;

import org.jspecify.annotations.NullMarked;
