package dev.replistream.stream;

import dev.replistream.inspector.MutationFeed;
import dev.replistream.presence.PresenceFeed;
import dev.replistream.rejection.RejectionFeed;
import org.jspecify.annotations.Nullable;

/// What one connection is told beside pokes, as far as it asked for it.
///
/// @param presence who is in the rooms of its user
/// @param rejections which mutations of its user were acknowledged without effect
/// @param mutations which mutations were acknowledged, of its user or of all
record Feeds(
    @Nullable PresenceFeed presence,
    @Nullable RejectionFeed rejections,
    @Nullable MutationFeed mutations)
    implements AutoCloseable {
  /// Nothing.
  static final Feeds NONE = new Feeds(null, null, null);

  /// Forgets the connection, which has ended. Idempotent.
  @Override
  public void close() {
    if (presence != null) {
      presence.close();
    }
    if (rejections != null) {
      rejections.close();
    }
    if (mutations != null) {
      mutations.close();
    }
  }
}
