/// Rooms and their members. A room is a space that several users share. It knows `db` and, for what
/// a user id is, `auth`; its stores are confined to one transaction of the caller's.
@NullMarked
package dev.replistream.room;

import org.jspecify.annotations.NullMarked;
