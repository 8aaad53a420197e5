package dev.replistream.data;

import dev.replistream.db.Database;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokedUsers;
import java.time.Duration;

/// Transactions of a node that is alone, and whose rooms nobody watches.
public final class TestTransactions {
  private TestTransactions() {}

  /// Those that poke by a bus.
  public static Transactions of(Database database, PokeBus bus) {
    return new Transactions(
        database, new Outbox(database, bus, false), new Journal(Duration.ZERO), _ -> {}, _ -> {});
  }

  /// Those whose pokes nobody sees.
  public static Transactions of(Database database) {
    return of(database, new PokedUsers().bus());
  }
}
