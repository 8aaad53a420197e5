package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.SettableClock;
import dev.replistream.api.InMemoryStore;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValueException;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Scan;
import dev.replistream.api.Transaction;
import dev.replistream.data.RoomException;
import dev.replistream.data.RoomLimits;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.RoomStore;
import dev.replistream.data.Spaces;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.nio.file.Path;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Duration;
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

  /// What one store has: the codes of its links, which differ, in the order in which they were
  /// made.
  private abstract static class Store {
    final List<String> codes = new ArrayList<>();

    abstract void run(String userId, Consumer<Transaction> work);

    abstract void join(String userId, String room);

    abstract void joinBy(String userId, String code);

    List<Object> outcomes(Deed deed) {
      List<Object> outcomes = Collections.synchronizedList(new ArrayList<>());
      try {
        run(
            deed.userId,
            transaction -> {
              outcomes.addAll(deed.run(transaction, codes));
              if (deed.fails) {
                throw new Failed();
              }
            });
      } catch (Failed _) {
        outcomes.add("rolled back");
      }
      return List.copyOf(outcomes);
    }

    Object outcome(Visit visit) {
      try {
        if (visit.code < 0) {
          join(visit.userId, visit.room);
        } else {
          joinBy(visit.userId, codes.isEmpty() ? "none" : codes.get(visit.code % codes.size()));
        }
        return "joined";
      } catch (RejectedException e) {
        return e.code().orElseThrow();
      } catch (RoomException e) {
        return e.reason().label();
      }
    }
  }

  /// Somebody who comes by an invitation, or by one of the links.
  ///
  /// @param code the link's number, -1 for none
  private record Visit(String userId, String room, int code) {
    static Visit random(SplittableRandom random) {
      return new Visit(
          Deed.one(USERS, random),
          Deed.one(ROOMS, random),
          random.nextBoolean() ? -1 : random.nextInt(1_000));
    }
  }

  /// A part of a transaction.
  @FunctionalInterface
  private interface Part {
    Object run(Transaction transaction, List<String> codes);
  }

  /// What a transaction does, and what came of each part of it.
  private record Deed(String userId, List<Part> parts, boolean fails) {
    static Deed random(SplittableRandom random) {
      List<Part> parts = new ArrayList<>();
      for (int i = random.nextInt(1, 9); i > 0; i--) {
        parts.add(random.nextInt(16) == 0 ? link(random) : plain(part(random)));
      }
      return new Deed(one(USERS, random), parts, random.nextInt(8) == 0);
    }

    private static Part plain(Function<Transaction, Object> part) {
      return (transaction, _) -> part.apply(transaction);
    }

    private static Part link(SplittableRandom random) {
      String room = one(ROOMS, random);
      Role role = one(List.of(Role.values()), random);
      Duration life = Duration.ofDays(random.nextInt(32));
      int uses = random.nextInt(4);
      boolean isPlain = random.nextBoolean();
      return (transaction, codes) -> {
        codes.add(
            isPlain
                ? transaction.createLink(room, role)
                : transaction.unrestricted().createLink(room, role, life, uses));
        return "link " + codes.size();
      };
    }

    private static Function<Transaction, Object> scan(SplittableRandom random) {
      Scan prefixed = Scan.prefix(random.nextBoolean() ? "" : one(KEYS, random));
      Scan within = random.nextBoolean() ? prefixed.in(one(ROOMS, random)) : prefixed;
      String start = one(KEYS, random);
      Scan scan =
          List.of(within, within.from(start), within.after(start))
              .get(random.nextInt(3))
              .limit(random.nextInt(5));
      return random.nextBoolean()
          ? transaction -> transaction.scan(scan)
          : transaction -> transaction.unrestricted().scan(scan);
    }

    private static Function<Transaction, Object> part(SplittableRandom random) {
      String room = one(ROOMS, random);
      String key = one(KEYS, random);
      String user = one(USERS, random);
      JsonValue value = JsonValue.parse(one(VALUES, random));
      Role role = one(List.of(Role.values()), random);
      return switch (random.nextInt(25)) {
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
        case 19 -> transaction -> transaction.unrestricted().removeMember(room, user);
        case 20 -> done(transaction -> transaction.unrestricted().invite(room, user, role));
        case 21, 22 -> scan(random);
        case 23 -> Transaction::isEmpty;
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

    List<Object> run(Transaction transaction, List<String> codes) {
      List<Object> outcomes = new ArrayList<>();
      for (Part part : parts) {
        try {
          outcomes.add(part.run(transaction, codes));
        } catch (RejectedException e) {
          outcomes.add(e.code().orElseThrow() + ": " + e.getMessage());
        } catch (JsonValueException e) {
          outcomes.add(e.getClass().getSimpleName() + ": " + e.getMessage());
        }
      }
      return outcomes;
    }
  }

  private static final class Failed extends RuntimeException {
    private static final long serialVersionUID = 1;
  }

  private static List<Part> everything() {
    List<Part> parts = new ArrayList<>();
    parts.add(Deed.plain(transaction -> transaction.scan("")));
    parts.add(Deed.plain(Transaction::rooms));
    ROOMS.forEach(room -> parts.add(Deed.plain(transaction -> transaction.members(room))));
    return parts;
  }

  private static Store inMemory(InMemoryStore memory) {
    return new Store() {
      @Override
      void run(String userId, Consumer<Transaction> work) {
        memory.run(userId, work);
      }

      @Override
      void join(String userId, String room) {
        memory.join(userId, room);
      }

      @Override
      void joinBy(String userId, String code) {
        memory.joinBy(userId, code);
      }
    };
  }

  /// A step in a transaction of the database.
  @FunctionalInterface
  private interface Step {
    void run(Session session, Spaces spaces) throws SQLException;
  }

  private static Store sql(Database database, Clock clock) {
    return new Store() {
      private final RoomSettings limits = RoomLimits.consent(1_000, 100_000);

      private void inTransaction(Step step) {
        database.inTransaction(session -> {
          step.run(session, new Spaces(session));
          return true;
        });
      }

      private RoomStore rooms(Session session, Spaces spaces) {
        return new RoomStore(session, spaces, clock.instant(), limits);
      }

      @Override
      void run(String userId, Consumer<Transaction> work) {
        inTransaction((session, spaces) -> {
          SqlTransaction transaction =
              SqlTransactionTest.transaction(session, spaces, userId, clock.instant(), limits);
          work.accept(transaction);
          transaction.requireWhole();
        });
      }

      @Override
      void join(String userId, String room) {
        inTransaction((session, spaces) -> rooms(session, spaces).accept(room, userId));
      }

      @Override
      void joinBy(String userId, String code) {
        inTransaction((session, spaces) -> rooms(session, spaces).joinBy(code, userId));
      }
    };
  }

  @Test
  void aMutatorCannotTellOneFromTheOther() {
    SettableClock clock = new SettableClock();
    long seed = new SplittableRandom().nextLong();
    SplittableRandom random = new SplittableRandom(seed);
    Store memory = inMemory(new InMemoryStore(clock, TransactionContractTest.MAX_VALUE_BYTES));
    try (Database database = TestDatabase.sqlite(directory)) {
      Store sql = sql(database, clock);
      for (int i = 0; i < TRANSACTIONS; i++) {
        Deed deed = Deed.random(random);
        assertThat(memory.outcomes(deed))
            .as("seed %d, transaction %d", seed, i)
            .isEqualTo(sql.outcomes(deed));
        Visit visit = Visit.random(random);
        assertThat(memory.outcome(visit))
            .as("seed %d, %s after transaction %d", seed, visit, i)
            .isEqualTo(sql.outcome(visit));
        if (i % 100 == 99) {
          clock.advance(Duration.ofDays(random.nextInt(20)));
          for (String user : USERS) {
            Deed all = new Deed(user, everything(), false);
            assertThat(memory.outcomes(all))
                .as("seed %d, what %s sees after transaction %d", seed, user, i)
                .isEqualTo(sql.outcomes(all));
          }
        }
      }
    }
  }
}
