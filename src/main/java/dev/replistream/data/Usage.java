package dev.replistream.data;

import dev.replistream.api.Key;
import java.nio.charset.StandardCharsets;

/// What the rows of a space take of the disk, or a change of that, in bytes. A row counts its key
/// and value, or its ids, and {@value #ROW_BYTES} more: so much a row of a few bytes takes with its
/// numbers and its place in the indexes. The schema counts in the same way what was there before.
/// Immutable.
///
/// @param entries of its entries
/// @param tombstones of its tombstones
/// @param clients of its user's client groups and their clients, where it is a private space;
///   folded or not, a client counts the same
public record Usage(long entries, long tombstones, long clients) {
  /// What a row counts beside its key and value, or its ids.
  public static final int ROW_BYTES = 64;

  /// Nothing.
  public static final Usage NONE = new Usage(0, 0, 0);

  /// An entry.
  static Usage ofEntry(Key key, long valueBytes) {
    return new Usage(ROW_BYTES + key.bytes().length + valueBytes, 0, 0);
  }

  /// A tombstone.
  public static Usage ofTombstone(Key key) {
    return new Usage(0, (long) ROW_BYTES + key.bytes().length, 0);
  }

  /// A client; or a client group, with the id of its user in the place of the group's.
  ///
  /// @param owner the group's id, or the user's
  static Usage ofClient(String id, String owner) {
    return new Usage(0, 0, ROW_BYTES + bytes(id) + bytes(owner));
  }

  private static long bytes(String id) {
    return id.getBytes(StandardCharsets.UTF_8).length;
  }

  /// All of it.
  public long total() {
    return entries + tombstones + clients;
  }

  /// As much less.
  public Usage negated() {
    return new Usage(-entries, -tombstones, -clients);
  }

  Usage plus(Usage more) {
    return new Usage(entries + more.entries, tombstones + more.tombstones, clients + more.clients);
  }
}
