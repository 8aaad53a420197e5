/// The backend's door: what an application's own servers read and write over HTTP, beside the
/// clients that push and pull.
@NullMarked
package dev.replistream.backend;

import org.jspecify.annotations.NullMarked;
