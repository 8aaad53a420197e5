package dev.replistream.sync;

import java.time.Duration;

/// The limits of push and pull, and how long is kept what clients may come back for.
///
/// @param maxBodyBytes how much of the body of a push is read
/// @param maxArgsLength how many characters the arguments of one mutation may have, as JSON
/// @param maxValueBytes how long the JSON of a value may be, in UTF-8
/// @param tombstoneMaxAge how long a deleted entry is remembered; a client that was away for longer
///   gets its whole view
/// @param clientMaxAge after how long without a push a client is folded into its client group
/// @param compactionInterval how long it is from one compaction to the next
public record SyncSettings(
    int maxBodyBytes,
    int maxArgsLength,
    int maxValueBytes,
    Duration tombstoneMaxAge,
    Duration clientMaxAge,
    Duration compactionInterval) {}
