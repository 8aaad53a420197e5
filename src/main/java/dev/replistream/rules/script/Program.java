package dev.replistream.rules.script;

import dev.replistream.api.Transaction;
import dev.replistream.rules.MutatorsException;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentLinkedDeque;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Source;
import org.graalvm.polyglot.SourceSection;
import org.jspecify.annotations.Nullable;

/// The application's file as it was when it was read, and the contexts that run it. Thread-safe.
final class Program implements AutoCloseable {
  /// What the names of this service's own sources begin with.
  private static final String PREFIX = "replistream:";

  private static final String MODULE = "application/javascript+module";

  /// No line of a stack is as long; one that a mutator made up would take the pattern very long.
  private static final int MAX_FRAME = 1000;

  /// A line of a stack: `at name (rules.mjs:2:61)` or `at rules.mjs:2:61`.
  private static final Pattern FRAME = Pattern.compile("\\s*at (?:.* \\()?(.+:\\d+:\\d+)\\)?");

  private final Engine engine;
  private final Watchdog watchdog;
  private final ScriptSettings settings;
  private final ScriptLog log;
  private final LimitMetrics metrics;
  private final ModuleFiles files;
  private final Source module;
  private final Source glue;
  private final Set<String> names;
  private final ConcurrentLinkedDeque<ScriptContext> free = new ConcurrentLinkedDeque<>();
  private volatile boolean closed;

  private Program(
      Engine engine,
      Watchdog watchdog,
      ScriptSettings settings,
      ScriptLog log,
      LimitMetrics metrics,
      ModuleFiles files,
      Source module) {
    this.engine = engine;
    this.watchdog = watchdog;
    this.settings = settings;
    this.log = log;
    this.metrics = metrics;
    this.files = files;
    this.module = module;
    glue = resource("glue.js", "application/javascript");
    ScriptContext first = new ScriptContext(this, engine, watchdog);
    names = Set.copyOf(first.names());
    free.push(first);
    if (names.isEmpty()) {
      close();
      throw unusable("its `mutators` has no function (tx, args)");
    }
  }

  /// Reads the file, and loads it once.
  ///
  /// @throws MutatorsException when it can't be used
  static Program of(
      Engine engine,
      Watchdog watchdog,
      ScriptSettings settings,
      ScriptLog log,
      LimitMetrics metrics,
      ModuleFiles files) {
    return new Program(engine, watchdog, settings, log, metrics, files, module(files));
  }

  /// A program of this service's own, with the mutator `warmUp`.
  static Program ofWarmUp(
      Engine engine,
      Watchdog watchdog,
      ScriptSettings settings,
      ScriptLog log,
      LimitMetrics metrics) {
    return new Program(
        engine,
        watchdog,
        settings,
        log,
        metrics,
        ModuleFiles.beside(settings.file()),
        resource("warm-up.js", MODULE));
  }

  private static Source module(ModuleFiles files) {
    Path file = files.main();
    try {
      String text =
          StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(files.read(file))).toString();
      return Source.newBuilder("js", file.toFile()).content(text).mimeType(MODULE).build();
    } catch (NoSuchFileException _) {
      throw unusable(file, "there is no such file");
    } catch (CharacterCodingException _) {
      throw unusable(file, "it is not UTF-8");
    } catch (IOException e) {
      throw unusable(file, "it can't be read (" + e.getMessage() + ")");
    }
  }

  private static Source resource(String name, String mimeType) {
    try (InputStream in = Objects.requireNonNull(Program.class.getResourceAsStream(name))) {
      String text = new String(in.readAllBytes(), StandardCharsets.UTF_8);
      return Source.newBuilder("js", text, PREFIX + name).mimeType(mimeType).internal(true).build();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  Set<String> names() {
    return names;
  }

  /// The file's name, as positions have it.
  String name() {
    return String.valueOf(files.main().getFileName());
  }

  ScriptSettings settings() {
    return settings;
  }

  ScriptLog log() {
    return log;
  }

  LimitMetrics metrics() {
    return metrics;
  }

  ModuleFiles files() {
    return files;
  }

  Source module() {
    return module;
  }

  Source glue() {
    return glue;
  }

  /// Runs a mutation in a context that is free, or a new one.
  void run(String name, Transaction transaction, String argsText) {
    ScriptContext context = free.poll();
    if (context == null) {
      context = new ScriptContext(this, engine, watchdog);
    }
    try {
      context.run(name, transaction, argsText);
    } finally {
      if (closed || context.isWorn()) {
        context.close();
      } else {
        free.push(context);
        if (closed) { // meanwhile
          close();
        }
      }
    }
  }

  /// Where in the application's code an error was made, by its stack.
  Optional<String> position(String stack) {
    return stack
        .lines()
        .filter(line -> line.length() <= MAX_FRAME && !line.contains(PREFIX))
        .map(FRAME::matcher)
        .filter(Matcher::matches)
        .map(frame -> frame.group(1))
        .filter(files::isIn)
        .map(files::shown)
        .findFirst();
  }

  /// Where in the application's code it happened.
  Optional<String> position(PolyglotException e) {
    SourceSection own = e.getSourceLocation();
    if (own != null && !own.getSource().isInternal()) {
      return Optional.of(position(own));
    }
    for (PolyglotException.StackFrame frame : e.getPolyglotStackTrace()) {
      SourceSection section = frame.isGuestFrame() ? frame.getSourceLocation() : null;
      if (section != null && !section.getSource().isInternal()) {
        return Optional.of(position(section));
      }
    }
    return Optional.empty();
  }

  private String position(SourceSection section) {
    return position(
        section.getSource().getPath(),
        section.getSource().getName(),
        section.getStartLine(),
        section.getStartColumn());
  }

  private String position(@Nullable String path, String name, int line, int column) {
    return "%s:%s:%s".formatted(path == null ? name : files.shown(path), line, column);
  }

  /// Where in the application's code a statement begins.
  String position(com.oracle.truffle.api.source.SourceSection section) {
    com.oracle.truffle.api.source.Source source = section.getSource();
    return position(
        source.getPath(), source.getName(), section.getStartLine(), section.getStartColumn());
  }

  /// The exception for a file that does not load.
  MutatorsException unusable(PolyglotException e) {
    return unusable(
        position(e).orElse(name()),
        String.valueOf(e.getMessage()).lines().findFirst().orElse("it does not load"));
  }

  /// The exception for a file that does not load.
  MutatorsException unusable(String position, String reason) {
    return new MutatorsException(position + ": " + reason);
  }

  /// What is said of a run that has exceeded a limit.
  String exceeded(Watchdog.Limit limit) {
    return switch (limit) {
      case CPU ->
          "it took more than %s ms of CPU (mutators.max-cpu)"
              .formatted(settings.maxCpu().toMillis());
      case MEMORY ->
          "it took more than %s MiB of memory (mutators.max-memory)"
              .formatted(settings.maxMemoryBytes() >> 20);
      case STATEMENTS ->
          "it ran more than %s statements (mutators.max-statements)"
              .formatted(settings.maxStatements());
      case DEPTH, STEP -> "it exceeded a limit of the engine";
    };
  }

  MutatorsException unusable(String reason) {
    return unusable(files.main(), reason);
  }

  private static MutatorsException unusable(Path file, String reason) {
    return new MutatorsException(file.getFileName() + ": " + reason);
  }

  @Override
  public void close() {
    closed = true;
    for (ScriptContext context = free.poll(); context != null; context = free.poll()) {
      context.close();
    }
  }
}
