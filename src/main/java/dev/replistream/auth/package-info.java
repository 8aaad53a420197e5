/// Who is calling: tokens are verified and revoked, keys are found and kept fresh, tickets are
/// issued, and redeemed once. The outcome is a {@link dev.replistream.auth.Caller}. Thread-safe
/// throughout; it knows only the `http` package, and what revokes `db`.
@NullMarked
package dev.replistream.auth;

import org.jspecify.annotations.NullMarked;
