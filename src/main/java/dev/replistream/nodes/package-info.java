/// Many nodes that are one service: what each holds, what they tell and ask each other ({@link
/// dev.replistream.nodes.Nodes}), and over Redis also their pokes and tickets, and what becomes of
/// all that while Redis is away. Thread-safe; only this package knows Redis.
@NullMarked
package dev.replistream.nodes;

import org.jspecify.annotations.NullMarked;
