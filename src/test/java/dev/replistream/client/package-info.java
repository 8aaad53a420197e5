/// The server with the real Replicache client, which runs under Node: the scenarios are in
/// `src/test/js`, and each starts server processes of its own.
@NullMarked
package dev.replistream.client;

import org.jspecify.annotations.NullMarked;
