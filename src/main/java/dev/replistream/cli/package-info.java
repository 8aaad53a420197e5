/// The command line: serve, token, watch, poke and doctor.
///
/// All but serve are clients, which see the service as any client does: over HTTP. What a command
/// needs of the service itself comes through {@link dev.replistream.cli.Service}. A command runs on
/// the thread that calls {@link dev.replistream.cli.Commands#run}. This package may know `auth` and
/// `http`.
@NullMarked
package dev.replistream.cli;

import org.jspecify.annotations.NullMarked;
