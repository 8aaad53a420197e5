package dev.replistream.stream;

import static java.util.Objects.requireNonNull;

import dev.replistream.poke.Latency;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.Meter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.metrics.api.Timer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.function.Supplier;

/// What happens to streams, as numbers. Thread-safe.
///
/// The registry is the process's: if several services share a process, so do they share its
/// counters, and the gauges speak of the one that was made first and is not closed.
public final class StreamMetrics implements AutoCloseable {
  private final MeterRegistry registry;
  private final List<Meter> gauges = new ArrayList<>();
  private final Map<Transport, LongAdder> open = new EnumMap<>(Transport.class);
  private final Map<Transport, Counter> opened = new EnumMap<>(Transport.class);
  private final Map<CloseReason, Counter> closed = new EnumMap<>(CloseReason.class);
  private final Map<SseManager.Admission, Counter> refused =
      new EnumMap<>(SseManager.Admission.class);
  private final Counter pingsWritten;
  private final Counter syncsWritten;
  private final Counter syncsCoalesced;
  private final Counter presenceWritten;
  private final Counter rejectionsWritten;
  private final Counter mutationsWritten;
  private final Timer pokeToWrite;

  /// Registers the meters.
  public StreamMetrics(MeterRegistry registry) {
    this.registry = registry;
    for (Transport transport : Transport.values()) {
      List<Tag> tags = List.of(Tag.create("transport", transport.label()));
      LongAdder count = new LongAdder();
      open.put(transport, count);
      gauges.add(
          registry.getOrCreate(
              Gauge.builder("replistream_connections_open", count::sum)
                  .description("Connections open now")
                  .tags(tags)));
      opened.put(
          transport,
          registry.getOrCreate(
              Counter.builder("replistream_connections_opened")
                  .description("Connections opened since the start")
                  .tags(tags)));
    }
    for (CloseReason reason : CloseReason.values()) {
      closed.put(
          reason,
          registry.getOrCreate(
              Counter.builder("replistream_connections_closed")
                  .description("Connections that ended, by reason")
                  .tags(List.of(Tag.create("reason", reason.label())))));
    }
    for (SseManager.Admission admission : SseManager.Admission.values()) {
      if (admission != SseManager.Admission.ADMITTED) {
        refused.put(
            admission,
            registry.getOrCreate(
                Counter.builder("replistream_connections_refused")
                    .description("Connections refused at a limit")
                    .tags(List.of(Tag.create("limit", admission.label())))));
      }
    }
    pingsWritten =
        registry.getOrCreate(
            Counter.builder("replistream_pings_written").description("ping events written"));
    syncsWritten =
        registry.getOrCreate(
            Counter.builder("replistream_syncs_written").description("sync events written"));
    syncsCoalesced =
        registry.getOrCreate(
            Counter.builder("replistream_syncs_coalesced")
                .description("Pokes that joined a sync which was still pending"));
    presenceWritten =
        registry.getOrCreate(
            Counter.builder("replistream_presence_written").description("presence events written"));
    rejectionsWritten =
        registry.getOrCreate(
            Counter.builder("replistream_rejections_written")
                .description("rejected events written"));
    mutationsWritten =
        registry.getOrCreate(
            Counter.builder("replistream_mutation_events_written")
                .description("mutation events written"));
    pokeToWrite =
        Latency.timer(
            registry,
            "replistream_poke_to_write",
            "From the poke to the end of the write of its sync",
            List.of());
  }

  /// Takes the gauges out of the registry, so that they hold nothing of this service.
  @Override
  public void close() {
    gauges.forEach(registry::remove);
  }

  /// Shows how many users are present.
  void countUsers(Supplier<Integer> count) {
    gauges.add(
        registry.getOrCreate(
            Gauge.builder("replistream_users_present", count)
                .description("Users who are connected, or were within the grace time")));
  }

  void connectionOpened(Transport transport) {
    requireNonNull(open.get(transport)).increment();
    requireNonNull(opened.get(transport)).increment();
  }

  void connectionClosed(Transport transport, CloseReason reason) {
    requireNonNull(open.get(transport)).decrement();
    requireNonNull(closed.get(reason)).increment();
  }

  void connectionRefused(SseManager.Admission admission) {
    requireNonNull(refused.get(admission)).increment();
  }

  void pingWritten() {
    pingsWritten.increment();
  }

  void presenceWritten() {
    presenceWritten.increment();
  }

  void rejectionWritten() {
    rejectionsWritten.increment();
  }

  void mutationWritten() {
    mutationsWritten.increment();
  }

  void syncWritten(long sincePokeNanos) {
    syncsWritten.increment();
    pokeToWrite.record(sincePokeNanos, TimeUnit.NANOSECONDS);
  }

  void syncCaughtUp() {
    syncsWritten.increment();
  }

  void syncsCoalesced(int count) {
    if (count > 0) {
      syncsCoalesced.increment(count);
    }
  }
}
