/// Replicache's push and pull: the client view is the union of the spaces that a user may read, a
/// push runs mutators that change it, and a pull sends what changed since a signed cookie.
/// Thread-safe, unless a class says otherwise.
@NullMarked
package dev.replistream.sync;

import org.jspecify.annotations.NullMarked;
