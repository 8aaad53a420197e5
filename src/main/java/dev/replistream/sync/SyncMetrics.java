package dev.replistream.sync;

import static java.util.Objects.requireNonNull;

import dev.replistream.db.DatabaseListener;
import dev.replistream.poke.Latency;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.metrics.api.Timer;
import java.time.Duration;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// What happens to pushes and pulls, and in the database beneath, as numbers. Thread-safe.
public final class SyncMetrics implements DatabaseListener {
  private final Counter pushes;
  private final Counter refusedPushes;
  private final Counter applied;
  private final Counter duplicate;
  private final Counter rejected;
  private final Counter failed;
  private final Counter askedAgain;
  private final Map<PullAnswer.Kind, Counter> pulls = new EnumMap<>(PullAnswer.Kind.class);
  private final Counter refusedPulls;
  private final Counter rowsOut;
  private final Counter bytesOut;
  private final Timer pokeToPull;
  private final Timer transactions;
  private final Timer snapshots;
  private final Counter retries;

  /// Registers the meters.
  public SyncMetrics(MeterRegistry registry) {
    pushes = counter(registry, "replistream_pushes", "Pushes");
    refusedPushes =
        counter(registry, "replistream_pushes_refused", "Long pushes that got no turn in time");
    applied = mutations(registry, "applied");
    duplicate = mutations(registry, "duplicate");
    rejected = mutations(registry, "rejected");
    failed = mutations(registry, "failed");
    askedAgain =
        counter(
            registry,
            "replistream_rules_asked_again",
            "Mutations about which rules elsewhere were asked again, as what they had read changed");
    for (PullAnswer.Kind kind : PullAnswer.Kind.values()) {
      pulls.put(kind, pulls(registry, kind.name().toLowerCase(Locale.ROOT)));
    }
    refusedPulls = pulls(registry, "refused"); // as too many of the user's were under way
    rowsOut = counter(registry, "replistream_pull_rows", "Operations in the patches of pulls");
    bytesOut = counter(registry, "replistream_pull_bytes", "Bytes of pull answers, as sent");
    pokeToPull =
        Latency.timer(
            registry, "replistream_poke_to_pull", "From a user's poke to its next pull", List.of());
    transactions = database(registry, "transaction");
    snapshots = database(registry, "snapshot");
    retries =
        counter(
            registry,
            "replistream_database_retries",
            "Transactions that lost against another one and began anew");
  }

  private static Counter counter(MeterRegistry registry, String name, String description) {
    return registry.getOrCreate(Counter.builder(name).description(description));
  }

  private static Counter pulls(MeterRegistry registry, String kind) {
    return registry.getOrCreate(
        Counter.builder("replistream_pulls")
            .description("Pulls, by what they were answered with")
            .tags(List.of(Tag.create("kind", kind))));
  }

  private static Counter mutations(MeterRegistry registry, String outcome) {
    return registry.getOrCreate(
        Counter.builder("replistream_mutations")
            .description("Mutations, by what became of them")
            .tags(List.of(Tag.create("outcome", outcome))));
  }

  private static Timer database(MeterRegistry registry, String kind) {
    return Latency.timer(
        registry,
        "replistream_database",
        "Time in the database",
        List.of(Tag.create("kind", kind)));
  }

  void pushed() {
    pushes.increment();
  }

  void pushRefused() {
    refusedPushes.increment();
  }

  void mutationsSeen(int appliedCount, int duplicateCount) {
    applied.increment(appliedCount);
    duplicate.increment(duplicateCount);
  }

  void mutationRefused(boolean isRejected) {
    (isRejected ? rejected : failed).increment();
  }

  void askedAgain() {
    askedAgain.increment();
  }

  void pulled(PullAnswer.Kind kind, long rows) {
    requireNonNull(pulls.get(kind)).increment();
    rowsOut.increment(rows);
  }

  void pullRefused() {
    refusedPulls.increment();
  }

  void bytesSent(long bytes) {
    bytesOut.increment(bytes);
  }

  void pulledAfterPoke(Duration sincePoke) {
    pokeToPull.record(sincePoke);
  }

  @Override
  public void transactionEnded(Duration duration, boolean committed) {
    transactions.record(duration);
  }

  @Override
  public void snapshotEnded(Duration duration, boolean succeeded) {
    snapshots.record(duration);
  }

  @Override
  public void transactionRetried() {
    retries.increment();
  }
}
