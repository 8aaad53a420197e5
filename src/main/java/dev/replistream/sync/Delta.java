package dev.replistream.sync;

import dev.replistream.sync.ViewStore.Space;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;

/// The changes of a client view since a cookie: for each key that may be another one now, the entry
/// that wins. It costs as much as there are changes, whatever there is else. Confined to one pull.
final class Delta {
  /// How many entries are looked up at most, which takes less than a second: each changed key once
  /// in each space. Beyond it the whole view is the cheaper answer.
  private static final long MAX_LOOKUPS = 200_000;

  private final ViewStore views;
  private final String userId;
  private final NavigableMap<String, Space> readable;
  private final List<Key> pending = new ArrayList<>();
  private long lookups;

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
  /// @return false when there are too many: what was written counts for nothing then
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
    return lookups <= MAX_LOOKUPS;
  }

  private void changed(Key key, PullWriter writer) throws SQLException {
    pending.add(key);
    if (pending.size() == ViewStore.KEYS_PER_LOOKUP) {
      flush(writer);
    }
  }

  /// Writes what the pending keys are now.
  private void flush(PullWriter writer) throws SQLException {
    lookups += (long) pending.size() * readable.size();
    if (!pending.isEmpty() && lookups <= MAX_LOOKUPS) {
      Map<Key, String> winners = views.winners(userId, pending);
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
}
