/// The service itself: {@link dev.replistream.Main} is the command line's entry, {@link
/// dev.replistream.Settings} what can be configured, and {@link dev.replistream.Application} the
/// composition root that wires every part with constructors and nothing else.
@NullMarked
package dev.replistream;

import org.jspecify.annotations.NullMarked;
