package dev.replistream.data;

import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.TreeMap;

/// The client groups and their clients. What they take of the disk counts for their user: a client
/// as much when it was folded. Confined to the transaction of its {@link Session}.
public final class ClientStore {
  private final Session session;
  private final Spaces spaces;

  /// The client groups as a transaction sees them.
  ///
  /// @param spaces the spaces of the same transaction
  public ClientStore(Session session, Spaces spaces) {
    this.session = session;
    this.spaces = spaces;
  }

  /// A client group.
  ///
  /// @param userId its owner
  /// @param version is raised by each push that acknowledges something
  /// @param foldedVersion the highest version among those that were ever folded
  /// @param epoch the database's when the group was last written
  public record Group(String id, String userId, long version, long foldedVersion, String epoch) {}

  /// A client group, if it is known, in the database's present epoch.
  public record Present(String epoch, Optional<Group> group) {}

  /// A client as it is stored.
  public record Client(String groupId, long lastMutationID) {}

  /// The group as it is, with the epoch; one statement reads both.
  public Present group(String id) throws SQLException {
    return group(id, "LEFT JOIN", "")
        .orElseThrow(() -> new IllegalStateException("the database has no epoch"));
  }

  /// The group, which nobody else changes until this transaction ends; none in it where there is no
  /// such group.
  public Optional<Group> lockedGroup(String id) throws SQLException {
    return lockedPresent(id).flatMap(Present::group);
  }

  /// The group, which nobody else changes until this transaction ends, with the epoch; empty where
  /// there is no such group.
  public Optional<Present> lockedPresent(String id) throws SQLException {
    return group(id, "JOIN", session.dialect() == Dialect.POSTGRESQL ? " FOR UPDATE OF g" : "");
  }

  /// Makes a group of `userId`, and locks it; where there is one by now, that is locked. Its owner
  /// may be another.
  public Present create(String id, String userId, long nowMillis) throws SQLException {
    PreparedStatement insert =
        session.prepare(
            """
            INSERT INTO client_group (id, user_id, version, seen_at, folded_version, epoch)
            SELECT ?, ?, 0, ?, 0, content FROM meta WHERE name = 'epoch' ON CONFLICT DO NOTHING\
            """);
    insert.setString(1, id);
    insert.setString(2, userId);
    insert.setLong(3, nowMillis);
    if (insert.executeUpdate() > 0) {
      spaces.count(Spaces.ofUser(userId), Usage.ofClient(id, userId));
    }
    return lockedPresent(id).orElseThrow();
  }

  /// Notes that a group gets a client that it did not have, folded or not, when it is saved.
  public void add(Group group, String clientId) {
    spaces.count(Spaces.ofUser(group.userId), Usage.ofClient(clientId, group.id));
  }

  /// Whether a user may have one more client group or client.
  public boolean takesMore(String userId, StorageSettings limits) throws SQLException {
    return limits.takesClients(spaces.usage(Spaces.ofUser(userId)));
  }

  private Optional<Present> group(String id, String join, String lock) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT m.content, g.user_id, g.version, g.folded_version, g.epoch
            FROM meta m %s client_group g ON g.id = ? WHERE m.name = 'epoch'%s\
            """
                .formatted(join, lock));
    select.setString(1, id);
    try (ResultSet row = select.executeQuery()) {
      if (!row.next()) {
        return Optional.empty();
      }
      String userId = row.getString(2);
      Optional<Group> group =
          userId == null
              ? Optional.empty()
              : Optional.of(
                  new Group(id, userId, row.getLong(3), row.getLong(4), row.getString(5)));
      return Optional.of(new Present(row.getString(1), group));
    }
  }

  /// Up to which version of a group its acknowledgements in `epoch`, which has ended, are true in
  /// this database; 0 where that is not known.
  public long versionIn(String epoch, Group group) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT version FROM former_epoch WHERE epoch = ? AND group_id IN ('', ?)
            ORDER BY version LIMIT 1\
            """);
    select.setString(1, epoch);
    select.setString(2, group.id);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? row.getLong(1) : epoch.equals(group.epoch) ? group.version : 0;
    }
  }

  /// Whether a group was there when an epoch ended, so that its clients may have seen what was lost
  /// with that.
  public boolean isOfEarlierEpoch(Group group, String epoch) throws SQLException {
    if (!group.epoch.equals(epoch)) {
      return true;
    }
    PreparedStatement select =
        session.prepare("SELECT 1 FROM former_epoch WHERE group_id = ? LIMIT 1");
    select.setString(1, group.id);
    try (ResultSet row = select.executeQuery()) {
      return row.next();
    }
  }

  public Optional<Client> client(String id) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT group_id, last_mutation_id FROM client WHERE id = ?");
    select.setString(1, id);
    try (ResultSet row = select.executeQuery()) {
      return row.next()
          ? Optional.of(new Client(row.getString(1), row.getLong(2)))
          : Optional.empty();
    }
  }

  /// The last mutation ids of a group's clients that were acknowledged after `version`; those of
  /// all folded ones, if one of them was.
  public Map<String, Long> lastMutationIDs(Group group, long version) throws SQLException {
    Map<String, Long> changes = new TreeMap<>();
    if (group.foldedVersion > version) {
      PreparedStatement select =
          session.prepare("SELECT id, last_mutation_id FROM folded_client WHERE group_id = ?");
      select.setString(1, group.id);
      add(select, changes);
    }
    PreparedStatement select =
        session.prepare(
            "SELECT id, last_mutation_id FROM client WHERE group_id = ? AND version > ?");
    select.setString(1, group.id);
    select.setLong(2, version);
    add(select, changes);
    return changes;
  }

  private static void add(PreparedStatement select, Map<String, Long> lastMutationIDs)
      throws SQLException {
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        lastMutationIDs.put(row.getString(1), row.getLong(2));
      }
    }
  }

  /// The last mutation id of a client of the group that has not been seen for long.
  public Optional<Long> folded(Group group, String id) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT last_mutation_id FROM folded_client WHERE group_id = ? AND id = ?");
    select.setString(1, group.id);
    select.setString(2, id);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? Optional.of(row.getLong(1)) : Optional.empty();
    }
  }

  /// Makes a folded client an ordinary one again.
  public void unfold(Group group, String id) throws SQLException {
    PreparedStatement delete =
        session.prepare("DELETE FROM folded_client WHERE group_id = ? AND id = ?");
    delete.setString(1, group.id);
    delete.setString(2, id);
    delete.executeUpdate();
  }

  /// Stores a group's version; for the first time in an epoch also how far it had come in the one
  /// before.
  public void save(Group group, String epoch, long version, long nowMillis) throws SQLException {
    if (!group.epoch.equals(epoch)) {
      endEpoch(group);
    }
    PreparedStatement update =
        session.prepare(
            """
            UPDATE client_group SET version = ?, seen_at = ?, epoch = ? WHERE id = ?\
            """);
    update.setLong(1, version);
    update.setLong(2, nowMillis);
    update.setString(3, epoch);
    update.setString(4, group.id);
    update.executeUpdate();
  }

  private void endEpoch(Group group) throws SQLException {
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO former_epoch (group_id, epoch, version) VALUES (?, ?, ?)
            ON CONFLICT (group_id, epoch) DO UPDATE SET version = excluded.version
            WHERE excluded.version < former_epoch.version\
            """);
    upsert.setString(1, group.id);
    upsert.setString(2, group.epoch);
    upsert.setLong(3, group.version);
    upsert.executeUpdate();
  }

  /// Stores how far a client has come.
  ///
  /// @return false when the client belongs to another group
  public boolean save(String id, String groupId, long lastMutationID, long version, long nowMillis)
      throws SQLException {
    PreparedStatement upsert =
        session.prepare(
            """
            INSERT INTO client (id, group_id, last_mutation_id, version, seen_at)
            VALUES (?, ?, ?, ?, ?)
            ON CONFLICT (id) DO UPDATE SET last_mutation_id = excluded.last_mutation_id,
            version = excluded.version, seen_at = excluded.seen_at
            WHERE client.group_id = excluded.group_id\
            """);
    upsert.setString(1, id);
    upsert.setString(2, groupId);
    upsert.setLong(3, lastMutationID);
    upsert.setLong(4, version);
    upsert.setLong(5, nowMillis);
    return upsert.executeUpdate() > 0;
  }

  /// Some groups with clients that were not seen since a time, in the order of their ids.
  ///
  /// @param after the group that comes before them, "" for none
  public List<String> groupsToFold(long seenBeforeMillis, String after, int limit)
      throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT DISTINCT group_id FROM client WHERE group_id > ? AND seen_at < ?
            ORDER BY group_id LIMIT ?\
            """);
    select.setString(1, after);
    select.setLong(2, seenBeforeMillis);
    select.setInt(3, limit);
    return ids(select);
  }

  private static List<String> ids(PreparedStatement select) throws SQLException {
    List<String> ids = new ArrayList<>();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        ids.add(row.getString(1));
      }
    }
    return ids;
  }

  /// Folds the clients of a locked group that were not seen since a time.
  ///
  /// @return how many
  public int fold(Group group, long seenBeforeMillis) throws SQLException {
    return fold(group, "seen_at < ?", seenBeforeMillis);
  }

  /// @param which clients, by a bound
  private int fold(Group group, String which, long bound) throws SQLException {
    PreparedStatement insert =
        session.prepare(
            """
            INSERT INTO folded_client (group_id, id, last_mutation_id)
            SELECT group_id, id, last_mutation_id FROM client WHERE group_id = ? AND %s\
            """
                .formatted(which));
    insert.setString(1, group.id);
    insert.setLong(2, bound);
    if (insert.executeUpdate() == 0) {
      return 0;
    }
    PreparedStatement update =
        session.prepare(
            """
            UPDATE client_group SET folded_version =
            (SELECT MAX(c.version) FROM client c WHERE c.group_id = client_group.id AND c.%1$s)
            WHERE id = ? AND folded_version <
            (SELECT MAX(c.version) FROM client c WHERE c.group_id = client_group.id AND c.%1$s)\
            """
                .formatted(which));
    update.setLong(1, bound);
    update.setString(2, group.id);
    update.setLong(3, bound);
    update.executeUpdate();
    PreparedStatement delete =
        session.prepare("DELETE FROM client WHERE group_id = ? AND " + which);
    delete.setString(1, group.id);
    delete.setLong(2, bound);
    return delete.executeUpdate();
  }

  /// Some groups with more clients than so many that are not folded, in the order of their ids.
  ///
  /// @param after the group that comes before them, "" for none
  public List<String> crowdedGroups(int clients, String after, int limit) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT group_id FROM client WHERE group_id > ?
            GROUP BY group_id HAVING COUNT(*) > ? ORDER BY group_id LIMIT ?\
            """);
    select.setString(1, after);
    select.setInt(2, clients);
    select.setInt(3, limit);
    return ids(select);
  }

  /// Folds those clients of a locked group that pushed least lately.
  ///
  /// @param kept how many are left as they are, or some less: those of one push go together
  /// @param batch about how many are folded
  /// @return how many; 0 when no more than `kept` are left
  public int foldOldest(Group group, int kept, int batch) throws SQLException {
    OptionalLong highest = version(group, "DESC", kept);
    if (highest.isEmpty()) {
      return 0;
    }
    OptionalLong ofBatch = version(group, "ASC", batch - 1);
    long version = Math.min(highest.getAsLong(), ofBatch.orElse(highest.getAsLong()));
    return fold(group, "version <= ?", version);
  }

  /// The version of one of a group's clients, in the order of their versions.
  private OptionalLong version(Group group, String order, int offset) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT version FROM client WHERE group_id = ? ORDER BY version %s LIMIT 1 OFFSET ?"
                .formatted(order));
    select.setString(1, group.id);
    select.setInt(2, offset);
    try (ResultSet row = select.executeQuery()) {
      return row.next() ? OptionalLong.of(row.getLong(1)) : OptionalLong.empty();
    }
  }
}
