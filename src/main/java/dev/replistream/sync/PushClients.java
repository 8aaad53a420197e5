package dev.replistream.sync;

import dev.replistream.data.ClientStore;
import dev.replistream.data.ClientStore.Client;
import dev.replistream.data.ClientStore.Group;
import dev.replistream.data.ClientStore.Present;
import dev.replistream.data.StorageSettings;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import io.helidon.http.Status;
import java.sql.SQLException;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// How far the clients of one client group have come, while a batch of their mutations is applied.
/// Each is read once. The group is locked, so two pushes of one client come one after the other.
///
/// Confined to the transaction of its {@link ClientStore}.
final class PushClients {
  private final ClientStore store;
  private final String epoch;
  private final Group group;
  private final StorageSettings limits;
  private final long nowMillis;
  private final Map<String, Long> lastMutationIDs = new HashMap<>();
  private final Map<String, Long> raised = new HashMap<>();
  private final Set<String> folded = new HashSet<>();

  private PushClients(
      ClientStore store, String epoch, Group group, StorageSettings limits, long nowMillis) {
    this.store = store;
    this.epoch = epoch;
    this.group = group;
    this.limits = limits;
    this.nowMillis = nowMillis;
  }

  /// Locks a user's client group, and makes it if it is new.
  ///
  /// @return empty where the user may have no more client groups
  /// @throws ProblemException 403 when it is another user's
  static Optional<PushClients> of(
      ClientStore store, String groupId, String userId, StorageSettings limits, long nowMillis)
      throws SQLException {
    Optional<Present> known = store.lockedPresent(groupId);
    if (known.isEmpty() && !store.takesMore(userId, limits)) {
      return Optional.empty();
    }
    Present present = known.isPresent() ? known.get() : store.create(groupId, userId, nowMillis);
    Group group = present.group().orElseThrow();
    if (!group.userId().equals(userId)) {
      throw foreign("client group");
    }
    return Optional.of(new PushClients(store, present.epoch(), group, limits, nowMillis));
  }

  /// Whether the user may have a client that is not known yet.
  boolean takesMore() throws SQLException {
    return store.takesMore(group.userId(), limits);
  }

  /// The last mutation of a client that was seen; empty for one that is not known.
  ///
  /// @throws ProblemException 403 when the client is of another group
  Optional<Long> lastMutationID(String clientID) throws SQLException {
    Long known = lastMutationIDs.get(clientID);
    if (known != null) {
      return Optional.of(known);
    }
    Optional<Client> stored = store.client(clientID);
    if (stored.isPresent() && !stored.get().groupId().equals(group.id())) {
      throw foreign("client");
    }
    Optional<Long> last = stored.map(Client::lastMutationID);
    if (last.isEmpty()) {
      last = store.folded(group, clientID);
      if (last.isPresent()) {
        folded.add(clientID);
      }
    }
    last.ifPresent(id -> lastMutationIDs.put(clientID, id));
    return last;
  }

  /// Whether a gap before a client's next mutation may be what a restore has lost. A client begins
  /// after the last mutation that it knows to be acknowledged, so it never leaves one out itself,
  /// and what was lost it does not send again.
  boolean mayHaveLost() throws SQLException {
    return store.isOfEarlierEpoch(group, epoch);
  }

  /// Notes that a mutation of a client was seen, and all before it.
  void raise(String clientID, long mutationID) {
    if (lastMutationIDs.put(clientID, mutationID) == null) {
      store.add(group, clientID);
    }
    raised.put(clientID, mutationID);
  }

  /// Stores what was raised, and the group's next version with it. Those that had been folded are
  /// clients again.
  ///
  /// @throws ProblemException 403 when a new client has become one of another group meanwhile
  void save() throws SQLException {
    if (raised.isEmpty()) {
      return;
    }
    long version = group.version() + 1;
    store.save(group, epoch, version, nowMillis);
    for (Map.Entry<String, Long> client : raised.entrySet()) {
      if (!store.save(client.getKey(), group.id(), client.getValue(), version, nowMillis)) {
        throw foreign("client");
      }
      if (folded.contains(client.getKey())) {
        store.unfold(group, client.getKey());
      }
    }
  }

  private static ProblemException foreign(String what) {
    return Problem.of(Status.FORBIDDEN_403, "The " + what + " belongs to somebody else.")
        .toException();
  }
}
