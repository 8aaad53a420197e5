/// An application to copy from: the server's side of Replicache's todo sample, whose clients share
/// lists. It knows `sync` for what a mutator sees, `room` for roles and `http` for JSON values.
@NullMarked
package dev.replistream.example.todo;

import org.jspecify.annotations.NullMarked;
