package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import java.util.function.Supplier;

/// Who pushes.
///
/// @param claims those of the user's token, a JSON object
record Pusher(String userId, Supplier<JsonValue> claims) {}
