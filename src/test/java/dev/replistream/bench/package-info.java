/// The load generator behind `etc/bench`, and the training run behind `etc/image`.
///
/// One thread and one selector drive every socket, so that a client costs next to nothing beside
/// the server that is measured. It speaks to the server over loopback as any client would, and
/// knows nothing of the service's own classes but the signer of tokens.
@NullMarked
package dev.replistream.bench;

import org.jspecify.annotations.NullMarked;
