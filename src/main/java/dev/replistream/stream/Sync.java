package dev.replistream.stream;

/// The `sync` event of one poke, prepared once for all connections that get it. Immutable; nobody
/// writes to `frame`.
///
/// @param stamp the poke's stamp
/// @param frame the event's bytes
/// @param pokedNanoTime when the poke was stamped, by `System.nanoTime`
@SuppressWarnings("ArrayRecordComponent") // compared by nobody, shared by all
record Sync(long stamp, byte[] frame, long pokedNanoTime) {}
