package dev.replistream.sync;

import java.time.Duration;
import java.util.Set;

/// The limits of push and pull, and how long is kept what clients may come back for.
///
/// @param maxBodyBytes how much of the body of a push is read
/// @param maxArgsLength how many characters the arguments of one mutation may have, as JSON
/// @param maxValueBytes how long the JSON of a value may be, in UTF-8
/// @param tombstoneMaxAge how long a deleted entry is remembered; a client that was away for longer
///   gets its whole view
/// @param clientMaxAge after how long without a push a client is folded into its client group
/// @param compactionInterval how long it is from one compaction to the next
/// @param schemaVersions what versions of the application's schema may push and pull; none for any
public record SyncSettings(
    int maxBodyBytes,
    int maxArgsLength,
    int maxValueBytes,
    Duration tombstoneMaxAge,
    Duration clientMaxAge,
    Duration compactionInterval,
    Set<String> schemaVersions) {
  /// How many characters the version of a schema may have: a hash fits.
  public static final int MAX_SCHEMA_VERSION_LENGTH = 128;

  /// Copies the versions.
  public SyncSettings {
    schemaVersions = Set.copyOf(schemaVersions);
  }

  /// Whether a client whose application is of this version may push and pull.
  public boolean takes(String schemaVersion) {
    return schemaVersions.isEmpty() || schemaVersions.contains(schemaVersion);
  }
}
