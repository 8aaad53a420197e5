/// How this service speaks HTTP: routes that know their methods, problem+json, bodies within a
/// budget, CORS, gzip, rates. Everything here runs on the thread of one request. It knows no other
/// package of the service but that of JSON; the connections beneath are those of `http.wire`.
@NullMarked
package dev.replistream.http;

import org.jspecify.annotations.NullMarked;
