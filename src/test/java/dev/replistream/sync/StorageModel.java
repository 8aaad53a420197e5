package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.SettableClock;
import dev.replistream.api.JsonObjectBuilder;
import dev.replistream.api.JsonValue;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.RoomPurge;
import dev.replistream.data.Spaces;
import dev.replistream.data.StorageSettings;
import dev.replistream.data.TestTransactions;
import dev.replistream.db.Database;
import dev.replistream.poke.PokedUsers;
import dev.replistream.rules.MutatorRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.sql.ResultSet;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Collectors;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// After each step of any history of writes in private spaces and rooms, overwrites, deletes,
/// mutations that are rejected, fail or swallow a refusal, pushes of several transactions, rooms
/// that are deleted at once or by and by and made again, compactions by age and by size, and
/// clients that are folded and come back: what each space is said to take is what a recount finds,
/// and no space has grown beyond its limit.
abstract class StorageModel {
  private static final Duration TIME = Duration.ofSeconds(4);
  private static final int LEAST_HISTORIES = 6;
  private static final int STEPS = 60;

  private static final long PER_USER = 6_000;
  private static final long PER_ROOM = 5_000;

  private static final String RECOUNT =
      """
      SELECT space, CAST(SUM(e) AS BIGINT), CAST(SUM(t) AS BIGINT), CAST(SUM(c) AS BIGINT) FROM (
        SELECT space, 64 + octet_length(key) + octet_length(value) AS e, 0 AS t, 0 AS c FROM entry
        UNION ALL SELECT space, 0, 64 + octet_length(key), 0 FROM tombstone
        UNION ALL SELECT 'u/' || user_id, 0, 0, 64 + octet_length(id) + octet_length(user_id)
          FROM client_group
        UNION ALL SELECT 'u/' || g.user_id, 0, 0, 64 + octet_length(c.id) + octet_length(g.id)
          FROM client c JOIN client_group g ON g.id = c.group_id
        UNION ALL SELECT 'u/' || g.user_id, 0, 0, 64 + octet_length(f.id) + octet_length(g.id)
          FROM folded_client f JOIN client_group g ON g.id = f.group_id
      ) AS kept GROUP BY space\
      """;

  private static final String COUNTED =
      """
      SELECT id, entry_bytes, tombstone_bytes, client_bytes FROM space
      WHERE entry_bytes <> 0 OR tombstone_bytes <> 0 OR client_bytes <> 0\
      """;

  private final Database database;
  private final SettableClock clock = new SettableClock();
  private final Push push;
  private final StorageSettings limits = new StorageSettings(PER_USER, PER_ROOM);
  private int refused;
  private int leftToPurge;
  private int removedEarly;

  StorageModel(Database database) {
    this.database = database;
    push =
        new Push(
            TestTransactions.of(database, new PokedUsers().bus()),
            MutatorRegistry.of(List.of(new TestMutators(), new Writers()), Optional.of(true)),
            2_000,
            RoomLimits.direct(1_000, 10_000),
            new Push.Storage(limits, TestStorage.metrics(database), () -> refused++),
            TestStorage.NO_FEEDBACK,
            clock,
            new SyncMetrics(Services.get(MetricsFactory.class).globalRegistry()));
  }

  @AfterEach
  void close() {
    database.close();
  }

  /// Mutators that write much, or go on after a refusal.
  private static final class Writers implements Mutators {
    @Override
    public Map<String, Mutator> mutators() {
      return Map.of(
          "several",
          Writers::several,
          "swallow",
          Writers::swallow,
          "remake",
          Writers::remake,
          "tidy",
          (transaction, _) ->
              transaction.scan("").forEach(entry -> transaction.delete(entry.key())));
    }

    /// Puts, overwrites and deletes keys, and then fails if it is told to.
    private static void several(Transaction transaction, JsonValue args) {
      Random random = new Random(args.get("seed").asLong());
      for (int i = 0; i < 6; i++) {
        String key = "k" + random.nextInt(8);
        if (random.nextInt(3) == 0) {
          transaction.delete(key);
        } else {
          transaction.put(key, text(random.nextInt(300)));
        }
      }
      switch (args.get("end").asText()) {
        case "reject" -> throw new RejectedException("so it was told");
        case "fail" -> throw new IllegalStateException("so it was told");
        default -> {}
      }
    }

    private static void swallow(Transaction transaction, JsonValue args) {
      for (int i = 0; i < 12; i++) {
        try {
          transaction.put("s" + i, text(args.asLong()));
        } catch (RejectedException e) {
          assertThat(e.code()).contains("storage-full");
          transaction.delete("s" + (i - 3));
        }
      }
    }

    /// Deletes a room and makes it again, with something in it.
    private static void remake(Transaction transaction, JsonValue args) {
      String room = args.asText();
      transaction.put(room, "before", text(20));
      transaction.deleteRoom(room);
      transaction.createRoom(room);
      transaction.put(room, "k1", text(30));
      transaction.delete(room, "k1");
      transaction.put(room, "k2", text(30));
    }

    private static JsonValue text(long length) {
      return JsonValue.of("é".repeat(Math.toIntExact(length / 2)));
    }
  }

  @Test
  void whatIsCountedIsWhatARecountFindsAndNothingGrowsBeyondItsLimit() {
    long end = System.nanoTime() + TIME.toNanos();
    for (int seed = 0; seed < LEAST_HISTORIES || System.nanoTime() < end; seed++) {
      new History(seed).run();
    }
    assertThat(List.of(refused, leftToPurge, removedEarly)).allMatch(count -> count > 0);
  }

  private Map<String, List<Long>> query(String sql) {
    return database.inSnapshot(session -> {
      Map<String, List<Long>> rows = new TreeMap<>();
      try (ResultSet row = session.prepare(sql).executeQuery()) {
        while (row.next()) {
          rows.put(row.getString(1), List.of(row.getLong(2), row.getLong(3), row.getLong(4)));
        }
      }
      return rows;
    });
  }

  /// One random history, with users and rooms of its own.
  private final class History {
    private final int seed;
    private final Random random;
    private final Map<String, Long> lastIds = new TreeMap<>();
    private int groups = 2;
    private int clients = 3;

    History(int seed) {
      this.seed = seed;
      random = new Random(seed);
    }

    void run() {
      for (int step = 0; step < STEPS; step++) {
        clock.advance(Duration.ofSeconds(1));
        String did = step == STEPS / 2 ? takeLong() : step();
        String where = "seed " + seed + ", step " + step + ": " + did;
        Map<String, List<Long>> counted = query(COUNTED);
        assertThat(counted).as(where).isEqualTo(query(RECOUNT));
        counted.forEach((space, bytes) -> assertWithinLimit(where, space, bytes));
      }
    }

    /// At the limit a user may have client records of a quarter more, and one of them.
    private void assertWithinLimit(String where, String space, List<Long> bytes) {
      long total = bytes.stream().mapToLong(Long::longValue).sum();
      if (Spaces.room(space).isEmpty()) {
        assertThat(total).as(where).isLessThan(PER_USER * 5 / 4 + 500);
        assertThat(total - bytes.getLast()).as(where).isLessThanOrEqualTo(PER_USER);
      } else {
        assertThat(total).as("%s %s", where, space).isLessThanOrEqualTo(PER_ROOM);
      }
    }

    private String takeLong() {
      return seed % 2 == 0 ? backlog() : deleteLarge(room());
    }

    private String step() {
      String room = room();
      return switch (random.nextInt(19)) {
        case 0, 1, 2 -> push("put", args().with("value", value()).build());
        case 3, 4, 5, 6 -> push("put", args().with("room", room).with("value", value()).build());
        case 7 -> push("del", args().build());
        case 8 -> push("del", args().with("room", room).build());
        case 9, 10 ->
            push(
                "several",
                JsonValue.object()
                    .with("seed", random.nextInt())
                    .with("end", List.of("reject", "fail", "").get(random.nextInt(3)))
                    .build());
        case 11 -> push("swallow", JsonValue.of(random.nextInt(1_500)));
        case 12 -> push(random.nextBoolean() ? "createRoom" : "remake", JsonValue.of(room));
        case 13 -> push("join", join(room));
        case 14 -> push("deleteRoom", JsonValue.of(room));
        case 15 -> push("tidy", JsonValue.ofNull());
        case 16, 17 -> compact();
        default -> fold();
      };
    }

    private String room() {
      return "r" + seed + "-" + random.nextInt(3);
    }

    private JsonObjectBuilder args() {
      return JsonValue.object()
          .with("key", "k" + "x".repeat(random.nextInt(3)) + random.nextInt(4));
    }

    private JsonValue value() {
      return Writers.text(random.nextInt(random.nextInt(4) == 0 ? 2_400 : 200));
    }

    private JsonValue join(String room) {
      return JsonValue.object()
          .with("room", room)
          .with("user", user(random.nextInt(2)))
          .with("role", Role.WRITER.label())
          .build();
    }

    private String user(int number) {
      return "u" + seed + "-" + number;
    }

    private String push(String name, JsonValue args) {
      return push(user(random.nextInt(2)), List.of(name), args);
    }

    /// Pushes by one of a user's clients, which may be a new one, of a new group.
    private String push(String user, List<String> names, JsonValue args) {
      groups += random.nextInt(25) == 0 ? 1 : 0;
      clients += random.nextInt(8) == 0 ? 1 : 0;
      String group = user + "-g" + random.nextInt(groups);
      String client = group + "-ü" + random.nextInt(clients);
      long id = lastIds.getOrDefault(client, 0L) + (random.nextInt(20) == 0 ? 2 : 1);
      List<Mutation> mutations = new ArrayList<>();
      for (String name : names) {
        mutations.add(new Mutation(id + mutations.size(), client, name, args.toJson()));
      }
      Push.Outcome outcome =
          push.push(TestPusher.of(user), new PushRequest("p", group, "", mutations, false));
      if (outcome == Push.Outcome.DONE) {
        lastIds.put(client, id + names.size() - 1);
      }
      return names.getFirst() + " by " + client + ": " + outcome;
    }

    /// More than one transaction takes.
    private String backlog() {
      List<String> names = new ArrayList<>();
      for (int i = 0; i < PushBatch.MAX_RUN + 20; i++) {
        names.add("increment");
      }
      return push(user(random.nextInt(2)), names, JsonValue.of("n" + random.nextInt(3)));
    }

    /// Deletes a room, of which a whole batch is purged before what somebody has put there.
    private String deleteLarge(String room) {
      String owner = user(0);
      String space = Spaces.ofRoom(room);
      push(owner, List.of("createRoom"), JsonValue.of(room));
      for (int i = 0; i < 3; i++) {
        push(owner, List.of("put"), args().with("room", room).with("value", value()).build());
      }
      TestDatabase.fill(database, space, RoomPurge.BATCH, 0);
      recount(space);
      push(owner, List.of("deleteRoom"), JsonValue.of(room));
      long left =
          TestDatabase.number(database, "SELECT COUNT(*) FROM entry WHERE space = ?", space);
      leftToPurge += left > 0 && left < RoomPurge.BATCH ? 1 : 0;
      assertThat(query(COUNTED)).isEqualTo(query(RECOUNT));
      // what was never counted against the limit goes
      TestDatabase.execute(database, "DELETE FROM entry WHERE space = ? AND born = 0", space);
      TestDatabase.execute(database, "DELETE FROM tombstone WHERE space = ? AND born = 0", space);
      recount(space);
      return "delete a large room";
    }

    /// After something that the service has not done.
    private void recount(String space) {
      TestDatabase.execute(
          database,
          "INSERT INTO space (id, version, compacted) VALUES (?, 0, 0) ON CONFLICT DO NOTHING",
          space);
      TestDatabase.execute(
          database,
          """
          UPDATE space SET
          entry_bytes = (SELECT COALESCE(SUM(64 + octet_length(key) + octet_length(value)), 0)
            FROM entry WHERE space = ?),
          tombstone_bytes = (SELECT COALESCE(SUM(64 + octet_length(key)), 0)
            FROM tombstone WHERE space = ?) WHERE id = ?\
          """,
          space,
          space,
          space);
    }

    private String compact() {
      switch (random.nextInt(3)) {
        case 0 -> new DeletedRooms(database).purge(clock.instant(), () -> false);
        case 1 ->
            new Tombstones(database)
                .remove(clock.instant().minusSeconds(random.nextInt(30)), () -> false);
        default -> {
          removedEarly += new Tombstones(database).removeOldest(limits, () -> false);
          new Tombstones(database).removeOfDeletedRooms(limits, () -> false);
          assertThat(
                  query(COUNTED).entrySet().stream()
                      .filter(space -> space.getValue().get(1) > limits.limit(space.getKey()) / 8)
                      .collect(Collectors.toList()))
              .isEmpty();
        }
      }
      return "compact";
    }

    private String fold() {
      if (random.nextBoolean()) {
        new IdleClients(database)
            .fold(clock.instant().minusSeconds(random.nextInt(20)), () -> false);
      } else {
        new IdleClients(database, 2).foldOldest(() -> false);
      }
      return "fold";
    }
  }
}
