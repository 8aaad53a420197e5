/// What users are told of their mutations that were acknowledged without effect: the feeds of
/// streams that asked for it, on whatever node, and `GET /rejections`. Thread-safe.
@NullMarked
package dev.replistream.rejection;

import org.jspecify.annotations.NullMarked;
