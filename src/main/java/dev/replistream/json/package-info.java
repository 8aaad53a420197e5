/// Reading and writing JSON (RFC 8259) in UTF-8, token by token, and how deep and how large it may
/// be. What stands in a text is made into a tree elsewhere, if at all. Thread-safe, but for what
/// reads one text. It knows no other package of the service.
@NullMarked
package dev.replistream.json;

import org.jspecify.annotations.NullMarked;
