package dev.replistream.sync;

/// What the body of a pull says.
sealed interface PullBody permits PullRequest, VersionNotSupported {}
