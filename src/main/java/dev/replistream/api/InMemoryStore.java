package dev.replistream.api;

import dev.replistream.api.InMemoryTransaction.Author;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import java.time.Clock;
import java.util.HashMap;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SequencedMap;
import java.util.function.Consumer;

/// Users, their data and their rooms in memory, for tests of an application's mutators. The rules
/// are those of the database.
///
/// ```java
/// InMemoryStore store = new InMemoryStore();
/// store.run("alice", new TodoMutators().mutators().get("createList"), args);
/// assertThat(store.view("alice")).containsKey("list/1");
/// ```
///
/// Each user has one client; its mutations, one a run, are counted from 1 on.
///
/// Each run copies all data, so keep the data small. Thread-safe: one run after the other.
public final class InMemoryStore {
  private static final int MAX_VALUE_BYTES = 1024 * 1024;

  private final Clock clock;
  private final int maxValueBytes;
  private final Map<String, Long> mutationIDs = new HashMap<>(); // the last one of each user
  private InMemorySpaces spaces = new InMemorySpaces();

  /// An empty store, with values of up to 1 MiB, which is a server's default.
  public InMemoryStore() {
    this(Clock.systemUTC(), MAX_VALUE_BYTES);
  }

  /// An empty store.
  ///
  /// @param clock says since when members are in their rooms
  /// @param maxValueBytes how long the JSON of a value may be, in UTF-8
  public InMemoryStore(Clock clock, int maxValueBytes) {
    this.clock = clock;
    this.maxValueBytes = maxValueBytes;
  }

  /// Runs a mutator as a push of `userId` would. If it throws, the exception passes through, and
  /// nothing that it did is kept.
  ///
  /// @throws RejectedException when it rejects the mutation
  /// @throws IllegalArgumentException when `userId` is not a user id
  public void run(String userId, Mutator mutator, JsonValue args) {
    run(claims(userId), mutator, args);
  }

  /// Runs a mutator as a push with a token of these claims would: its user is the `sub`.
  ///
  /// @param claims a JSON object
  /// @throws RejectedException when it rejects the mutation
  /// @throws IllegalArgumentException when the `sub` is not a user id
  public void run(JsonValue claims, Mutator mutator, JsonValue args) {
    mutate(claims, transaction -> mutator.applyOrReject(transaction, args));
  }

  /// Runs `work` in a transaction of `userId`. If it throws, the exception passes through, and
  /// nothing that it did is kept.
  ///
  /// @throws IllegalArgumentException when `userId` is not a user id
  public void run(String userId, Consumer<Transaction> work) {
    mutate(claims(userId), work::accept);
  }

  /// Accepts an invitation as `POST /rooms/{room}/join` by `userId` would.
  ///
  /// @throws RejectedException when `userId` is not invited
  public void join(String userId, String room) {
    change(userId, transaction -> transaction.accept(room));
  }

  /// Joins by a link's code as `POST /join` by `userId` would.
  ///
  /// @throws RejectedException when there is no such link, or it can no longer be used
  public void joinBy(String userId, String code) {
    change(userId, transaction -> transaction.joinBy(code));
  }

  private synchronized void mutate(JsonValue claims, Consumer<InMemoryTransaction> work) {
    String userId = userId(claims);
    long mutationID = mutationIDs.merge(userId, 1L, Long::sum); // it is seen, also if it fails
    change(new Author(userId, "client of " + userId, mutationID, claims), work);
  }

  private void change(String userId, Consumer<InMemoryTransaction> work) {
    JsonValue claims = claims(userId);
    change(new Author(userId(claims), "", 0, claims), work);
  }

  private synchronized void change(Author author, Consumer<InMemoryTransaction> work) {
    InMemorySpaces changed = spaces.copy();
    work.accept(new InMemoryTransaction(changed, author, clock, maxValueBytes, false));
    spaces = changed;
  }

  private static String userId(JsonValue claims) {
    if (claims instanceof Obj(Map<String, JsonValue> members)
        && members.get("sub") instanceof Str(String sub)
        && Id.mayBeMade(sub)) {
      return sub;
    }
    throw new IllegalArgumentException("not a user id");
  }

  private static JsonValue claims(String userId) {
    return JsonValue.object(Map.of("sub", JsonValue.of(userId)));
  }

  /// The client view of `userId`: the values by key, in the order of the keys.
  public SequencedMap<String, JsonValue> view(String userId) {
    SequencedMap<String, JsonValue> view = new LinkedHashMap<>();
    change(
        userId,
        transaction -> transaction.scan("").forEach(entry -> view.put(entry.key(), entry.value())));
    return view;
  }
}
