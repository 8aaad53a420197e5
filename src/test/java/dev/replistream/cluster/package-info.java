/// Three nodes, each a process of its own, with a real Redis and a real PostgreSQL, and what their
/// clients see when any of these dies or is restarted under load.
@NullMarked
package dev.replistream.cluster;

import org.jspecify.annotations.NullMarked;
