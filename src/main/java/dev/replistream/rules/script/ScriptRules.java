package dev.replistream.rules.script;

import dev.replistream.api.InMemoryStore;
import dev.replistream.api.Mutator;
import dev.replistream.api.Transaction;
import dev.replistream.rules.MutatorSource;
import dev.replistream.rules.MutatorsException;
import dev.replistream.rules.RulesAwayException;
import dev.replistream.rules.TextMutator;
import io.helidon.metrics.api.MeterRegistry;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import org.graalvm.polyglot.Engine;
import org.jspecify.annotations.Nullable;

/// The mutators of a JavaScript file. In development mode the file is read again when it, or what
/// it imports, has changed; one that can't be used leaves the mutators as they were. Thread-safe.
public final class ScriptRules implements MutatorSource {
  private static final Duration RELOAD_INTERVAL = Duration.ofMillis(300);

  private static final int WARM_UP_RUNS = 50;
  private static final ScriptSettings WARM_UP =
      new ScriptSettings(
          Path.of("warm-up.js"), Duration.ofMinutes(1), 1L << 30, Long.MAX_VALUE, false);

  /// One for the process: what it has learned of the module serves all contexts.
  private static final FutureTask<Warm> WARM = new FutureTask<>(ScriptRules::warmedUp);

  private final Warm warm;
  private final ScriptSettings settings;
  private final Consumer<Set<String>> requireFree;
  private final ScriptLog log;
  private final LimitMetrics metrics;
  private final Watchdog watchdog;
  private final CountDownLatch closed = new CountDownLatch(1);
  private volatile Program program;
  private volatile @Nullable String staleness;

  /// The files that were read or looked for, and when each was changed, if it was there.
  private volatile Map<Path, Optional<FileTime>> seen = Map.of();

  private ScriptRules(
      ScriptSettings settings, Consumer<Set<String>> requireFree, MeterRegistry meters) {
    this.settings = settings;
    this.requireFree = requireFree;
    log = new ScriptLog(settings.isDevelopment());
    metrics = new LimitMetrics(meters);
    warm = warm();
    watchdog = watchdog(warm.guard(), settings);
    try {
      program = load();
    } catch (Throwable e) {
      watchdog.close();
      throw e;
    }
    if (settings.isDevelopment()) {
      Thread.ofPlatform().daemon().name("script-reload").start(this::reloadAlways);
    }
  }

  /// Begins to warm the engine up, which takes a while, on a thread of its own. {@link #open} waits
  /// for that, and tells what went wrong.
  public static void warmUp() {
    Thread.ofPlatform().daemon().name("script-warm-up").start(WARM);
  }

  private static Warm warm() {
    WARM.run(); // unless it has begun
    try {
      return WARM.get();
    } catch (ExecutionException e) {
      if (e.getCause() instanceof NoClassDefFoundError missing) {
        throw withoutEngine(missing);
      }
      throw new MutatorsException("the JavaScript engine does not start: " + e.getCause(), e);
    } catch (InterruptedException e) {
      Thread.currentThread().interrupt();
      throw new MutatorsException("the start was interrupted", e);
    }
  }

  private static MutatorsException withoutEngine(NoClassDefFoundError e) {
    return new MutatorsException(
        "this build has no JavaScript engine: its jars belong in lib/script (etc/image --script)",
        e);
  }

  /// Loads the file, and runs a little so that the first mutation finds a warm engine.
  ///
  /// @param requireFree throws a {@link MutatorsException} where a name is taken or can't be pushed
  /// @param meters where what failed at a limit is counted
  /// @throws MutatorsException when the file can't be used, with its name, line and column; or this
  ///   build has no JavaScript engine
  public static ScriptRules open(
      ScriptSettings settings, Consumer<Set<String>> requireFree, MeterRegistry meters) {
    try {
      return new ScriptRules(settings, requireFree, meters);
    } catch (NoClassDefFoundError e) {
      throw withoutEngine(e);
    }
  }

  private Program load() {
    ModuleFiles files = ModuleFiles.beside(settings.file());
    Program loaded;
    try {
      loaded = Program.of(warm.engine(), watchdog, settings, log, metrics, files);
    } finally {
      Map<Path, Optional<FileTime>> all = new HashMap<>(seen);
      all.putAll(files.seen());
      seen = all;
    }
    try {
      requireFree.accept(loaded.names());
      return loaded;
    } catch (Throwable e) {
      loaded.close();
      throw e;
    }
  }

  /// An engine, and what it asks while it runs.
  private record Warm(Engine engine, Guard guard) {}

  /// An engine that has run a module of this service's own till it knows its way.
  private static Warm warmedUp() {
    Engine engine = Engine.newBuilder("js").option("engine.WarnInterpreterOnly", "false").build();
    Guard guard = Objects.requireNonNull(engine.getInstruments().get(Guard.ID)).lookup(Guard.class);
    try (Watchdog watchdog = watchdog(guard, WARM_UP);
        Program own =
            Program.ofWarmUp(
                engine, watchdog, WARM_UP, new ScriptLog(false), LimitMetrics.none())) {
      InMemoryStore store = new InMemoryStore();
      for (int i = 0; i < WARM_UP_RUNS; i++) {
        store.run("warm-up", transaction -> own.run("warmUp", transaction, "1"));
      }
    }
    return new Warm(engine, guard);
  }

  private static Watchdog watchdog(Guard guard, ScriptSettings limits) {
    return new Watchdog(guard, limits.maxCpu(), limits.maxMemoryBytes(), limits.maxStatements());
  }

  Set<String> names() {
    return program.names();
  }

  /// How many instances of modules there are, those that run a mutation and those that wait for
  /// one.
  int contexts() {
    return watchdog.watches();
  }

  /// @throws RulesAwayException when they are closed
  @Override
  public Optional<Mutator> find(String name) {
    if (isClosed()) {
      throw new RulesAwayException("The server is stopping; come again.");
    }
    Program now = program;
    return now.names().contains(name) ? Optional.of(new Script(now, name)) : Optional.empty();
  }

  private record Script(Program program, String name) implements TextMutator {
    @Override
    public void apply(Transaction transaction, String argsText) {
      program.run(name, transaction, argsText);
    }
  }

  private void reloadAlways() {
    try {
      while (!closed.await(RELOAD_INTERVAL.toMillis(), TimeUnit.MILLISECONDS)) {
        if (!ModuleFiles.times(seen.keySet()).equals(seen)) {
          reload();
        }
      }
    } catch (InterruptedException _) {
      // the process ends
    }
  }

  private void reload() {
    seen = ModuleFiles.times(seen.keySet());
    try {
      Program before = program;
      program = load();
      staleness = null;
      before.close();
      if (isClosed()) { // meanwhile
        program.close();
      }
      log.reloaded(program.names().size());
    } catch (RuntimeException e) {
      String reason = String.valueOf(e.getMessage());
      staleness = reason;
      log.notReloaded(reason);
    }
  }

  @Override
  public Optional<String> staleness() {
    return Optional.ofNullable(staleness);
  }

  private boolean isClosed() {
    return closed.getCount() == 0;
  }

  @Override
  public void close() {
    closed.countDown();
    program.close();
    watchdog.close();
  }
}
