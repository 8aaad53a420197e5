package dev.replistream.rules.script;

import dev.replistream.api.RejectedException;
import dev.replistream.api.Transaction;
import dev.replistream.rules.MutatorFailedException;
import dev.replistream.rules.MutatorsException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.graalvm.polyglot.Context;
import org.graalvm.polyglot.Engine;
import org.graalvm.polyglot.HostAccess;
import org.graalvm.polyglot.PolyglotException;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.io.IOAccess;
import org.jspecify.annotations.Nullable;

/// One instance of the application's module, which runs one mutation at a time. Whoever has it may
/// use it on any thread.
final class ScriptContext implements AutoCloseable {
  /// What a browser's module finds, no more; and no single allocation that could end the process.
  private static final Map<String, String> OPTIONS =
      Map.of(
          "js.esm-eval-returns-exports", "true",
          "js.console", "false",
          "js.load", "false",
          "js.print", "false",
          "js.graal-builtin", "false",
          "js.text-encoding", "true",
          "js.shared-array-buffer", "false",
          "js.regexp-static-result", "false", // RegExp.$1 of another mutation
          "js.string-length-limit", Integer.toString(Steps.MAX_LENGTH),
          "js.max-typed-array-length", Integer.toString(Steps.MAX_LIKE));

  private final Program program;
  private final Context context;
  private final HostTransaction host;
  private final Watchdog.Watch watch;
  private final Value run;
  private final Value thrown;
  private final List<String> names;
  private long allocatedBytes;
  private boolean isBroken;

  /// Loads the module.
  ///
  /// @throws MutatorsException when it can't be used
  ScriptContext(Program program, Engine engine, Watchdog watchdog) {
    this.program = program;
    context = context(engine, program);
    watch = watchdog.watch(context);
    host = new HostTransaction(program.log());
    try {
      Value glue = context.eval(program.glue()).execute(host, HostTransaction.MAX_LOGGED);
      run = glue.getMember("run");
      thrown = glue.getMember("thrown");
      names = load(glue);
    } catch (Throwable e) {
      close();
      throw e;
    }
  }

  private static Context context(Engine engine, Program program) {
    Context.Builder builder =
        Context.newBuilder("js")
            .engine(engine)
            .allowHostAccess(HostAccess.NONE)
            .allowIO(IOAccess.newBuilder().fileSystem(program.files()).build())
            .allowExperimentalOptions(true);
    OPTIONS.forEach(builder::option);
    return builder.build();
  }

  private List<String> load(Value glue) {
    try {
      watch.beginLoad();
      Value exports;
      try {
        exports = context.eval(program.module());
      } finally {
        watch.endLoad();
      }
      Value exported =
          member(exports, "mutators").or(() -> member(exports, "default")).orElse(null);
      if (exported == null || !exported.hasMembers()) {
        throw program.unusable(
            "it exports no `mutators` (and no default), an object with functions (tx, args)");
      }
      Value bound = glue.getMember("bind").execute(exported);
      List<String> all = new ArrayList<>();
      for (long i = 0; i < bound.getArraySize(); i++) {
        all.add(bound.getArrayElement(i).asString());
      }
      return List.copyOf(all);
    } catch (PolyglotException e) {
      throw watch
          .exceeded()
          .map(limit ->
              program.unusable(
                  watch.end().map(program::position).orElse(program.name()),
                  program.exceeded(limit) + " while it is loaded"))
          .orElseGet(() -> program.unusable(e));
    }
  }

  private static Optional<Value> member(Value object, String name) {
    return object.hasMember(name)
        ? Optional.of(object.getMember(name)).filter(value -> !value.isNull())
        : Optional.empty();
  }

  /// The names of the mutators.
  List<String> names() {
    return names;
  }

  /// Whether it can't be used any more: a mutation that it ran was ended, or it has allocated so
  /// much in all that what its module may have kept is better given back.
  boolean isWorn() {
    return isBroken || allocatedBytes > program.settings().maxMemoryBytes();
  }

  /// Runs a mutation.
  ///
  /// @throws RejectedException when the mutator rejects it, by an error that has a code
  /// @throws MutatorFailedException when it fails in any other way
  void run(String name, Transaction transaction, String argsText) {
    host.begin(name, transaction, watch);
    watch.begin();
    Outcome outcome;
    try {
      outcome = outcome(name, transaction, argsText);
    } finally {
      allocatedBytes += watch.finish();
      host.end();
    }
    isBroken |= watch.exceeded().isPresent();
    watch.exceeded().or(outcome::limit).ifPresent(program.metrics()::exceeded);
    if (watch.exceeded().isPresent()) {
      throw new MutatorFailedException(
          program.exceeded(watch.exceeded().get()),
          watch.end().map(program::position).or(outcome::position));
    }
    outcome.orThrow();
  }

  /// How a run ended.
  ///
  /// @param failure what it is to be answered with, if it failed
  private record Outcome(@Nullable RuntimeException failure, Optional<String> position) {
    static final Outcome DONE = new Outcome(null, Optional.empty());

    static Outcome failed(String message, Optional<String> position) {
      return new Outcome(new MutatorFailedException(message, position), position);
    }

    /// The limit of the engine's own that it has exceeded.
    Optional<Watchdog.Limit> limit() {
      return failure instanceof MutatorFailedException
          ? Steps.limit(String.valueOf(failure.getMessage()))
          : Optional.empty();
    }

    void orThrow() {
      if (failure != null) {
        throw failure;
      }
    }
  }

  private Outcome outcome(String name, Transaction transaction, String argsText) {
    try {
      return outcome(
          run.execute(
              name,
              argsText.equals("null") ? null : argsText,
              transaction.userId(),
              transaction.clientID(),
              transaction.mutationID()));
    } catch (PolyglotException e) {
      return outcome(e);
    }
  }

  private Outcome outcome(Value ended) {
    return switch (ended.getMember("state").asString()) {
      case "done" -> Outcome.DONE;
      case "pending" -> {
        isBroken = true; // who knows what it does when that comes after all
        yield Outcome.failed(
            "it waits for a promise that nothing will settle", Optional.of(program.name()));
      }
      default -> {
        String message = ended.getMember("message").asString();
        Value code = ended.getMember("code");
        if (!code.isNull()) {
          yield new Outcome(new RejectedException(code.asString(), message), Optional.empty());
        }
        yield Outcome.failed(
            ended.getMember("name").asString() + ": " + message,
            program.position(ended.getMember("stack").asString()));
      }
    };
  }

  private Outcome outcome(PolyglotException e) {
    if (e.isHostException() && e.asHostException() instanceof RuntimeException failure) {
      return new Outcome(failure, Optional.empty());
    }
    if (!e.isGuestException() || e.isInterrupted() || e.isCancelled()) {
      isBroken = true;
      return Outcome.failed(String.valueOf(e.getMessage()), program.position(e));
    }
    if (e.getGuestObject() == null) { // a syntax error, or too deep a recursion
      return Outcome.failed(String.valueOf(e.getMessage()), program.position(e));
    }
    try {
      return outcome(thrown.execute(e.getGuestObject()));
    } catch (PolyglotException again) {
      isBroken = true;
      return Outcome.failed(String.valueOf(e.getMessage()), program.position(e));
    }
  }

  @Override
  public void close() {
    watch.close();
    context.close(true);
  }
}
