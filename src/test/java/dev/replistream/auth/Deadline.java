package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.function.BooleanSupplier;

/// Waits for conditions that another thread brings about.
final class Deadline {
  private static final long NANOS = 10_000_000_000L;

  private Deadline() {}

  static void await(BooleanSupplier condition) {
    long start = System.nanoTime();
    while (!condition.getAsBoolean()) {
      assertThat(System.nanoTime() - start).as("nanoseconds waited").isLessThan(NANOS);
      Thread.onSpinWait();
    }
  }
}
