/// What a browser loads: the client script and the description of the API of every server, and of a
/// development server the console and the demo. All of it is files, read at the start and sent as
/// they are; only the Replicache package of the demo is looked for at each request. Thread-safe
/// throughout; it knows only the `http` package and the signer of `auth`.
@NullMarked
package dev.replistream.web;

import org.jspecify.annotations.NullMarked;
