/// Rooms and their members. A room is a space that several users share. It knows `db`, for what a
/// user id is `auth`, and for whom a change concerns `poke`; its stores are confined to one
/// transaction of the caller's, and only its handlers know HTTP.
@NullMarked
package dev.replistream.room;

import org.jspecify.annotations.NullMarked;
