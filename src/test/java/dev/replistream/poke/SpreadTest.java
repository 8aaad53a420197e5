package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Duration;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class SpreadTest {
  @ParameterizedTest
  @CsvSource({
    "0, PT0S",
    "1, PT0S",
    "100, PT0S",
    "101, PT0.101S",
    "1000, PT1S",
    "9999, PT9.999S",
    "10000, PT10S",
    "10001, PT10S",
    "2147483647, PT10S",
  })
  void theWindowGrowsWithTheConnectionsUpToTenSeconds(int connections, Duration window) {
    assertThat(Spread.window(connections)).isEqualTo(window);
  }
}
