package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import org.assertj.core.api.InstanceOfAssertFactories;
import org.junit.jupiter.api.Test;

class SmallServerTest {
  private static final long MIB = 1 << 20;

  @Test
  void itsHeapIsThatOfTheImageIn512MiB() {
    try (SmallServer server = SmallServer.start()) {
      assertThat(server.client().poke("alice")).isZero();
      assertThat(server.livingBytes()).isBetween(MIB, 64 * MIB);
      assertThat(server.client().metrics())
          .extractingByKey("memory_maxHeap_bytes", InstanceOfAssertFactories.DOUBLE)
          .isBetween(310.0 * MIB, 333.0 * MIB);
      assertThat(server.isAlive()).isTrue();
    }
  }
}
