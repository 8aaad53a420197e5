/// Mutators by name: the built-in ones and the application's, also those that run elsewhere. Knows
/// {@code api} and {@code json} alone; whoever runs a mutator gives it its transaction.
@NullMarked
package dev.replistream.rules;

import org.jspecify.annotations.NullMarked;
