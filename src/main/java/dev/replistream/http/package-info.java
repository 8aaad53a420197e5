/// How this service speaks HTTP: connections with deadlines, problem+json, bodies, CORS and routes
/// that know their methods. Everything here runs on the virtual thread of one connection, except
/// the sweep that ends overdue connections. It knows no other package of the service but that of
/// JSON.
@NullMarked
package dev.replistream.http;

import org.jspecify.annotations.NullMarked;
