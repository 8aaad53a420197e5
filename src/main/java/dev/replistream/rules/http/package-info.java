/// Rules of an application in any language, asked over HTTP. Knows {@code rules}, {@code json} and
/// {@code http}; it is told mutations and gives back what they are to do, and sees no transaction.
@NullMarked
package dev.replistream.rules.http;

import org.jspecify.annotations.NullMarked;
