package dev.replistream;

import dev.replistream.cli.Service;
import java.time.Clock;
import java.util.Map;

/// What the command line starts, for tests of the command line.
public final class TestServiceProcess {
  private TestServiceProcess() {}

  /// One with these variables of the environment and no others.
  public static Service of(Map<String, String> environment, Clock clock) {
    return new ServiceProcess(environment, clock, System.out);
  }
}
