/// Rooms and their members. A room is a space that several users share. It knows `db`; the classes
/// without state are used inside a transaction of the caller's.
@NullMarked
package dev.replistream.room;

import org.jspecify.annotations.NullMarked;
