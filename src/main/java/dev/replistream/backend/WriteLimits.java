package dev.replistream.backend;

import dev.replistream.data.RoomSettings;
import dev.replistream.data.StorageSettings;

/// What bounds that which is written. Immutable.
///
/// @param maxValueBytes how long the JSON of a value may be, in UTF-8
public record WriteLimits(RoomSettings rooms, StorageSettings storage, int maxValueBytes) {}
