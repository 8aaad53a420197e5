/// Rooms and their members, for requests. A room is a space that several users share. What is kept
/// of it is in `data`; only the handlers here know HTTP.
@NullMarked
package dev.replistream.room;

import org.jspecify.annotations.NullMarked;
