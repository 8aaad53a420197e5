/// The poke: a hint, without data, that tells a user's clients to pull. A {@link
/// dev.replistream.poke.PokeBus} stamps each poke, remembers the stamp, and brings it to whoever
/// holds the streams. Thread-safe; only its own handler knows HTTP.
@NullMarked
package dev.replistream.poke;

import org.jspecify.annotations.NullMarked;
