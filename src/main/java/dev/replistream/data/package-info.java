/// What the database holds: spaces and their entries, rooms and members, client groups; and the
/// transaction that owes pokes for what it changes. Stores are confined to one transaction of the
/// caller's. It knows `db`, and for whom a change concerns `poke`; nothing here knows HTTP.
@NullMarked
package dev.replistream.data;

import org.jspecify.annotations.NullMarked;
