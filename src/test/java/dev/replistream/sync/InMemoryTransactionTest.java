package dev.replistream.sync;

import dev.replistream.api.InMemoryStore;
import dev.replistream.api.Transaction;
import java.time.Clock;
import java.util.function.Consumer;

/// The transaction in memory keeps the rules of all transactions.
class InMemoryTransactionTest extends TransactionContractTest {
  private final InMemoryStore store = new InMemoryStore(Clock.systemUTC(), MAX_VALUE_BYTES);

  @Override
  void run(String userId, Consumer<Transaction> work) {
    store.run(userId, work);
  }
}
