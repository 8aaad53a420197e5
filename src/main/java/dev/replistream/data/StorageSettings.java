package dev.replistream.data;

/// How much of the disk a user and a room may take, in bytes as {@link Usage} counts them.
///
/// Tombstones and client records can't be refused as entries are: whoever may write no more still
/// deletes. So of tombstones there is a share of the limit, beyond which they are forgotten early;
/// and of client records one that a user has though the limit is reached. At the limit a user takes
/// five quarters of it at most.
///
/// @param perUser the most of a private space and its user's client records; 0 for no limit
/// @param perRoom the most of a room; 0 for no limit
public record StorageSettings(long perUser, long perRoom) {
  /// Limits nothing.
  public static final StorageSettings UNLIMITED = new StorageSettings(0, 0);

  private static final int SHARE_OF_CLIENTS = 4;

  /// The limit of a space; 0 where there is none.
  public long limit(String space) {
    return Spaces.room(space).isPresent() ? perRoom : perUser;
  }

  /// Whether a user may have more client records.
  ///
  /// @param usage that of the private space, with those records
  boolean takesClients(Usage usage) {
    return perUser == 0
        || usage.total() <= perUser
        || usage.clients() <= perUser / SHARE_OF_CLIENTS;
  }
}
