package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.InMemoryStore;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValueException;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// An application's tests run on the store in memory, and its users on a database: whatever a
/// mutator does, both answer the same, refuse the same for the same reason, and keep the same.
class TwoStoresTest {
  private static final int TRANSACTIONS = 1_500;
  private static final List<String> USERS =
      List.of("alice", "bob", "eve", "\uFFEE", "\uD83D\uDE00");
  private static final List<String> ROOMS = List.of("a", "b", "", "\uFFEE", "\uD83D\uDE00", "x\0");
  private static final List<String> KEYS =
      List.of("", "k", "k/1", "k/2", "l", "\uFFEE", "\uD83D\uDE00", "\uD800", "k".repeat(1_025));
  private static final List<String> VALUES =
      List.of("1", "null", "{\"a\":[1.50]}", "\"" + "v".repeat(2_000) + "\"", "1e400");

  @TempDir private Path directory;

  /// What a transaction does, and what came of each part of it.
  private record Deed(String userId, List<Function<Transaction, Object>> parts, boolean fails) {
    static Deed random(SplittableRandom random) {
      List<Function<Transaction, Object>> parts = new ArrayList<>();
      for (int i = random.nextInt(1, 9); i > 0; i--) {
        parts.add(part(random));
      }
      return new Deed(one(USERS, random), parts, random.nextInt(8) == 0);
    }

    private static Function<Transaction, Object> part(SplittableRandom random) {
      String room = one(ROOMS, random);
      String key = one(KEYS, random);
      String user = one(USERS, random);
      JsonValue value = JsonValue.parse(one(VALUES, random));
      Role role = one(List.of(Role.values()), random);
      return switch (random.nextInt(20)) {
        case 0 -> transaction -> transaction.get(key);
        case 1 -> transaction -> transaction.get(room, key);
        case 2 -> transaction -> transaction.has(key);
        case 3 -> transaction -> transaction.has(room, key);
        case 4 -> transaction -> transaction.scan(key);
        case 5 -> transaction -> transaction.scan(room, key);
        case 6 -> transaction -> transaction.delete(key);
        case 7 -> transaction -> transaction.delete(room, key);
        case 8 -> Transaction::rooms;
        case 9 -> transaction -> transaction.members(room);
        case 10 -> done(transaction -> transaction.put(key, value));
        case 11, 12 -> done(transaction -> transaction.put(room, key, value));
        case 13 -> done(transaction -> transaction.createRoom(room));
        case 14 -> done(transaction -> transaction.putMember(room, user, role));
        case 15 -> transaction -> transaction.removeMember(room, user);
        case 16 -> done(transaction -> transaction.invite(room, user, role));
        case 17, 18 -> done(transaction -> transaction.unrestricted().putMember(room, user, role));
        default ->
            random.nextInt(4) == 0
                ? done(transaction -> transaction.deleteRoom(room))
                : Transaction::userId;
      };
    }

    private static Function<Transaction, Object> done(Consumer<Transaction> part) {
      return transaction -> {
        part.accept(transaction);
        return "done";
      };
    }

    private static <T> T one(List<T> of, SplittableRandom random) {
      return of.get(random.nextInt(of.size()));
    }

    List<Object> run(Transaction transaction) {
      List<Object> outcomes = new ArrayList<>();
      for (Function<Transaction, Object> part : parts) {
        try {
          outcomes.add(part.apply(transaction));
        } catch (RejectedException | JsonValueException e) {
          outcomes.add(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
      }
      return outcomes;
    }
  }

  private static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  /// One of the two.
  @FunctionalInterface
  private interface Store {
    void run(String userId, Consumer<Transaction> work);

    default List<Object> outcomes(Deed deed) {
      List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());
      try {
        run(
            deed.userId,
            transaction -> {
              outcomes.addAll(deed.run(transaction));
              if (deed.fails) {
                throw new Failed();
              }
            });
      } catch (Failed _) {
        outcomes.add("rolled back");
      }
      return List.copyOf(outcomes);
    }
  }

  private static List<Function<Transaction, Object>> everything() {
    List<Function<Transaction, Object>> parts = new ArrayList<>();
    parts.add(transaction -> transaction.scan(""));
    parts.add(Transaction::rooms);
    ROOMS.forEach(room -> parts.add(transaction -> transaction.members(room)));
    return parts;
  }

  @Test
  void aMutatorCannotTellOneFromTheOther() {
    Clock clock = Clock.fixed(Instant.parse("2026-03-01T12:00:00.123Z"), java.time.ZoneOffset.UTC);
    long seed = new SplittableRandom().nextLong();
    SplittableRandom random = new SplittableRandom(seed);
    InMemoryStore memory = new InMemoryStore(clock, TransactionContractTest.MAX_VALUE_BYTES);
    try (Database database = TestDatabase.sqlite(directory)) {
      Store sql =
          (userId, work) ->
              database.inTransaction(session -> {
                SqlTransaction transaction =
                    SqlTransactionTest.transaction(
                        session,
                        new Spaces(session),
                        userId,
                        clock.instant(),
                        RoomLimits.consent(1_000, 100_000));
                work.accept(transaction);
                transaction.requireWhole();
                return userId;
              });
      for (int i = 0; i < TRANSACTIONS; i++) {
        Deed deed = Deed.random(random);

        assertThat(((Store) memory::run).outcomes(deed))
            .as("seed %d, transaction %d", seed, i)
            .isEqualTo(sql.outcomes(deed));
        if (i % 100 == 99) {
          for (String user : USERS) {
            Deed all = new Deed(user, everything(), false);
            assertThat(((Store) memory::run).outcomes(all))
                .as("seed %d, what %s sees after transaction %d", seed, user, i)
                .isEqualTo(sql.outcomes(all));
          }
        }
      }
    }
  }
}
