package dev.replistream.auth;

import dev.replistream.auth.TokenRefusedException.Reason;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;

/// Counts what happens to credentials. Thread-safe. Every series exists from the start, at zero.
public final class AuthMetrics {
  private final Map<Reason, Counter> failures = new EnumMap<>(Reason.class);
  private final Counter ticketsIssued;
  private final Counter ticketsRedeemed;

  /// Registers the counters.
  public AuthMetrics(MeterRegistry registry) {
    for (Reason reason : Reason.values()) {
      failures.put(
          reason,
          registry.getOrCreate(
              Counter.builder("replistream_token_failures")
                  .description("Credentials that were refused, by reason")
                  .tags(List.of(Tag.create("reason", reason.label())))));
    }
    ticketsIssued =
        registry.getOrCreate(
            Counter.builder("replistream_tickets_issued").description("Tickets given out"));
    ticketsRedeemed =
        registry.getOrCreate(
            Counter.builder("replistream_tickets_redeemed")
                .description("Tickets exchanged for a stream"));
  }

  void tokenRefused(Reason reason) {
    Counter counter = failures.get(reason);
    if (counter != null) {
      counter.increment();
    }
  }

  void ticketIssued() {
    ticketsIssued.increment();
  }

  void ticketRedeemed() {
    ticketsRedeemed.increment();
  }
}
