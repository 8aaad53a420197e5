package dev.replistream.sync;

import dev.replistream.api.Key;
import dev.replistream.sync.ViewStore.Space;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.Set;

/// The changes of a client view since a cookie: for each key that may be another one now, the entry
/// that wins. It costs as much as there are changes, whatever there is else. Confined to one pull.
final class Delta {
  /// After so many entries that were looked up it is seen whether the whole view would be the
  /// cheaper answer; again after twice as many, and so on.
  private static final long FIRST_LOOK = 20_000;

  /// How many lookups cost more than an entry of the whole view, whatever that is.
  private static final int LOOKUPS_PER_ENTRY = 4;

  private final ViewStore views;
  private final String userId;
  private final NavigableMap<String, Space> readable;
  private final Set<Key> pending = new LinkedHashSet<>();
  private long nextLook = FIRST_LOOK;
  private boolean isTooMuch;

  /// @param readable the spaces that the user may read
  Delta(ViewStore views, String userId, NavigableMap<String, Space> readable) {
    this.views = views;
    this.userId = userId;
    this.readable = readable;
  }

  /// Whether the changes since `held`, the versions of the spaces that a client has, can be told:
  /// not where tombstones that it has not seen may be gone, or it has what this database has not
  /// had yet.
  boolean fits(Map<String, Long> held) throws SQLException {
    for (Map.Entry<String, Long> each : held.entrySet()) {
      long version = each.getValue();
      Space space = readable.get(each.getKey());
      Optional<Space> now = space == null ? views.space(each.getKey()) : Optional.of(space);
      if (now.isEmpty() || version > now.get().version() || version < now.get().compacted()) {
        return false;
      }
    }
    return true;
  }

  /// Writes the changes since `held`, which fits.
  ///
  /// @return false when there are so many that the whole view is the cheaper answer: what was
  ///   written counts for nothing then
  boolean write(Map<String, Long> held, PullWriter writer) throws SQLException {
    for (Map.Entry<String, Long> each : held.entrySet()) {
      Space space = readable.get(each.getKey());
      if (space == null) {
        views.keysAt(each.getKey(), each.getValue(), key -> changed(key, writer));
      } else if (space.version() > each.getValue()) {
        views.changedKeys(each.getKey(), each.getValue(), key -> changed(key, writer));
      }
    }
    for (String space : readable.keySet()) {
      if (!held.containsKey(space)) {
        views.keys(space, key -> changed(key, writer));
      }
    }
    flush(writer);
    return !isTooMuch;
  }

  private void changed(Key key, PullWriter writer) throws SQLException {
    pending.add(key);
    if (pending.size() == ViewStore.KEYS_PER_LOOKUP) {
      flush(writer);
    }
  }

  /// Writes what the pending keys are now.
  private void flush(PullWriter writer) throws SQLException {
    look();
    if (!pending.isEmpty() && !isTooMuch) {
      Map<Key, String> winners = views.winners(userId, readable, List.copyOf(pending));
      Map<String, List<Key>> keysOfSpace = new HashMap<>();
      for (Key key : pending) {
        String space = winners.get(key);
        if (space == null) {
          writer.del(key);
        } else {
          keysOfSpace.computeIfAbsent(space, _ -> new ArrayList<>()).add(key);
        }
      }
      for (Map.Entry<String, List<Key>> each : keysOfSpace.entrySet()) {
        views.entries(each.getKey(), each.getValue(), writer::put);
      }
    }
    pending.clear();
  }

  private void look() throws SQLException {
    if (views.lookups() >= nextLook && !isTooMuch) {
      long worth = views.lookups() / LOOKUPS_PER_ENTRY;
      isTooMuch = views.count(readable.keySet(), worth) < worth;
      nextLook = 2 * views.lookups();
    }
  }
}
