/// What an application sees if it embeds this service or brings mutators of its own: a mutator and
/// the transaction that it runs in, JSON values, rooms and members, and a store in memory for its
/// tests. It knows how JSON is read and written, and neither HTTP nor SQL.
@NullMarked
package dev.replistream.api;

import org.jspecify.annotations.NullMarked;
