package dev.replistream.sync;

import static org.junit.jupiter.api.Assertions.fail;

import dev.replistream.HttpConnection;
import dev.replistream.Rounds;
import dev.replistream.TestService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestInstance;

/// For any trace of pushes, pulls, pokes, invitations, links, joins, leaves and roles, of backends
/// and rules without restriction, of forged, old and foreign cookies and tokens: nobody sees what a
/// simple model does not grant, not so much as the name of a key, and everybody sees all that it
/// does; see {@link IsolationTrace}. A trace that fails is printed with its seed, without the steps
/// that it fails without.
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
abstract class IsolationModel {
  private static final int TRACES = Rounds.of(2, 6);
  private static final int STEPS = 300;
  private static final Duration TIME_TO_SHORTEN = Duration.ofSeconds(30);
  private static final Duration SHORT_PATIENCE = Duration.ofMillis(500);

  private final TestService service;
  private final boolean isDirect;
  private int runs;

  /// @param environment of the service, as pairs of what follows `REPLISTREAM_` and a value
  IsolationModel(String... environment) {
    service = TestService.start(new OpenDoorMutators(), environment);
    isDirect = List.of(environment).contains("direct");
  }

  @AfterAll
  void close() {
    service.close();
  }

  /// Where a trace failed.
  ///
  /// @param steps how many it had taken
  private record Failure(int steps, Throwable why) {}

  @Test
  void eachUserSeesExactlyWhatIsGrantedWhateverAnybodyDoes() {
    for (int seed = 0; seed < TRACES; seed++) {
      List<IsolationStep> steps = IsolationStep.trace(seed, STEPS);
      Optional<Failure> failure = run(steps, HttpConnection.PATIENCE);
      if (failure.isPresent()) {
        report(seed, steps.subList(0, failure.get().steps), failure.get().why);
      }
    }
  }

  private Optional<Failure> run(List<IsolationStep> steps, Duration patience) {
    int taken = 0;
    try (IsolationTrace trace =
        new IsolationTrace(service, isDirect, Integer.toString(++runs), patience)) {
      for (IsolationStep step : steps) {
        taken++;
        trace.step(step);
      }
      trace.end();
      return Optional.empty();
    } catch (AssertionError | RuntimeException e) {
      return Optional.of(new Failure(taken, e));
    }
  }

  /// Leaves out what can be left out: halves of the steps first, single ones last.
  private void report(int seed, List<IsolationStep> failing, Throwable first) {
    List<IsolationStep> steps = new ArrayList<>(failing);
    Throwable why = first;
    long end = System.nanoTime() + TIME_TO_SHORTEN.toNanos();
    for (int size = steps.size() / 2; size > 0; size = size / 2) {
      for (int from = steps.size() - size; from >= 0; from -= size) {
        if (System.nanoTime() > end) {
          break;
        }
        List<IsolationStep> fewer = new ArrayList<>(steps);
        fewer.subList(from, from + size).clear();
        Optional<Failure> failure = run(fewer, SHORT_PATIENCE);
        if (failure.isPresent()) {
          steps = new ArrayList<>(fewer.subList(0, failure.get().steps));
          why = failure.get().why;
          from = Math.min(from, steps.size());
        }
      }
    }
    StringBuilder text = new StringBuilder();
    text.append("seed %d fails after step %d; so do these:%n".formatted(seed, failing.size()));
    List<IsolationStep> shortened = steps;
    IntStream.range(0, steps.size())
        .forEach(i -> text.append("%4d. %s%n".formatted(i + 1, shortened.get(i))));
    fail(text.append(why.getMessage()).toString(), why);
  }
}
