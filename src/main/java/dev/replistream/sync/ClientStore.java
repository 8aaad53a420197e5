package dev.replistream.sync;

import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;

/// The client groups and their clients. Confined to the transaction of its {@link Session}.
final class ClientStore {
  private final Session session;

  ClientStore(Session session) {
    this.session = session;
  }

  /// A client group.
  ///
  /// @param userId its owner
  /// @param version is raised by each push that acknowledges something
  /// @param folded its clients that were not seen for long
  /// @param foldedVersion the highest version among those that were ever folded
  record Group(String id, String userId, long version, FoldedClients folded, long foldedVersion) {}

  /// A client as it is stored.
  record Client(String groupId, long lastMutationID) {}

  Optional<Group> group(String id) throws SQLException {
    return group(id, "");
  }

  /// The group, which nobody else changes until this transaction ends.
  Optional<Group> lockedGroup(String id) throws SQLException {
    return group(id, session.dialect() == Dialect.POSTGRESQL ? " FOR UPDATE" : "");
  }

  /// The group, which nobody else changes until this transaction ends; where there is none it is
  /// made for `userId`. The owner of one that was there may be another.
  Group lockedGroup(String id, String userId, long nowMillis) throws SQLException {
    Optional<Group> present = lockedGroup(id);
    if (present.isPresent()) {
      return present.get();
    }
    PreparedStatement insert =
        session.prepare(
            """
            INSERT INTO client_group (id, user_id, version, seen_at, folded_version)
            VALUES (?, ?, 0, ?, 0) ON CONFLICT DO NOTHING\
            """);
    insert.setString(1, id);
    insert.setString(2, userId);
    insert.setLong(3, nowMillis);
    insert.executeUpdate();
    return lockedGroup(id).orElseThrow();
  }

  private Optional<Group> group(String id, String lock) throws SQLException {
    PreparedStatement select =
        session.prepare(
            "SELECT user_id, version, folded, folded_version FROM client_group WHERE id = ?"
                + lock);
    select.setString(1, id);
    try (ResultSet row = select.executeQuery()) {
      return row.next()
          ? Optional.of(
              new Group(
                  id,
                  row.getString(1),
                  row.getLong(2),
                  new FoldedClients(row.getString(3)),
                  row.getLong(4)))
          : Optional.empty();
    }
  }

  Optional<Client> client(String id) throws SQLException {
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
  Map<String, Long> lastMutationIDs(Group group, long version) throws SQLException {
    Map<String, Long> changes = new TreeMap<>();
    if (group.foldedVersion > version) {
      changes.putAll(group.folded.toMap());
    }
    PreparedStatement select =
        session.prepare(
            "SELECT id, last_mutation_id FROM client WHERE group_id = ? AND version > ?");
    select.setString(1, group.id);
    select.setLong(2, version);
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        changes.put(row.getString(1), row.getLong(2));
      }
    }
    return changes;
  }

  /// Stores a group's version and its folded clients.
  void save(Group group, long version, FoldedClients folded, long nowMillis) throws SQLException {
    PreparedStatement update =
        session.prepare(
            "UPDATE client_group SET version = ?, seen_at = ?, folded = ? WHERE id = ?");
    update.setLong(1, version);
    update.setLong(2, nowMillis);
    update.setString(3, folded.json());
    update.setString(4, group.id);
    update.executeUpdate();
  }

  /// Stores how far a client has come.
  ///
  /// @return false when the client belongs to another group
  boolean save(String id, String groupId, long lastMutationID, long version, long nowMillis)
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
  List<String> groupsToFold(long seenBeforeMillis, String after, int limit) throws SQLException {
    PreparedStatement select =
        session.prepare(
            """
            SELECT DISTINCT group_id FROM client WHERE group_id > ? AND seen_at < ?
            ORDER BY group_id LIMIT ?\
            """);
    select.setString(1, after);
    select.setLong(2, seenBeforeMillis);
    select.setInt(3, limit);
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
  int fold(Group group, long seenBeforeMillis) throws SQLException {
    Map<String, Long> idle = new TreeMap<>();
    long foldedVersion = group.foldedVersion;
    PreparedStatement select =
        session.prepare(
            """
            SELECT id, last_mutation_id, version FROM client
            WHERE group_id = ? AND seen_at < ?\
            """);
    select.setString(1, group.id);
    select.setLong(2, seenBeforeMillis);
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        idle.put(row.getString(1), row.getLong(2));
        foldedVersion = Math.max(foldedVersion, row.getLong(3));
      }
    }
    PreparedStatement update =
        session.prepare("UPDATE client_group SET folded = ?, folded_version = ? WHERE id = ?");
    update.setString(1, group.folded.with(idle).json());
    update.setLong(2, foldedVersion);
    update.setString(3, group.id);
    update.executeUpdate();
    PreparedStatement delete =
        session.prepare("DELETE FROM client WHERE group_id = ? AND seen_at < ?");
    delete.setString(1, group.id);
    delete.setLong(2, seenBeforeMillis);
    return delete.executeUpdate();
  }
}
