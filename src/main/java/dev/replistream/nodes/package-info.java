/// Many nodes that are one service: a {@link dev.replistream.poke.PokeBus} and a ticket store over
/// Redis, and what becomes of both while Redis is away. Thread-safe; only this package knows Redis.
@NullMarked
package dev.replistream.nodes;

import org.jspecify.annotations.NullMarked;
