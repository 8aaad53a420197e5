/// An application's mutators in JavaScript: the file that its pages use runs here too, on GraalJS.
/// Nothing outside of this package names the engine, whose classes are loaded only where there is
/// such a file.
@NullMarked
package dev.replistream.rules.script;

import org.jspecify.annotations.NullMarked;
