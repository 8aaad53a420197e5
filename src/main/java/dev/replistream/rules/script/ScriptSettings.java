package dev.replistream.rules.script;

import java.nio.file.Path;
import java.time.Duration;

/// Which file has the mutators, and what one mutation may take.
///
/// @param file an ES module
/// @param maxCpu the CPU time of a mutation; whole milliseconds
/// @param maxMemoryBytes how much a mutation may allocate
/// @param maxStatements how many statements a mutation may run
/// @param isDevelopment whether the file is read again when it changes
public record ScriptSettings(
    Path file, Duration maxCpu, long maxMemoryBytes, long maxStatements, boolean isDevelopment) {}
