package dev.replistream.sync;

/// What the body of a push says.
sealed interface PushBody permits PushRequest, VersionNotSupported {}
