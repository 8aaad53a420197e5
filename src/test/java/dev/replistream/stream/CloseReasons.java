package dev.replistream.stream;

import java.util.Arrays;
import java.util.List;

/// Why connections end, for tests of what is counted.
public final class CloseReasons {
  private CloseReasons() {}

  /// Each of them as a metric's label.
  public static List<String> labels() {
    return Arrays.stream(CloseReason.values()).map(CloseReason::label).toList();
  }
}
