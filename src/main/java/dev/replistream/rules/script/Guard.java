package dev.replistream.rules.script;

import com.oracle.truffle.api.frame.VirtualFrame;
import com.oracle.truffle.api.instrumentation.EventContext;
import com.oracle.truffle.api.instrumentation.ExecutionEventNode;
import com.oracle.truffle.api.instrumentation.SourceSectionFilter;
import com.oracle.truffle.api.instrumentation.StandardTags.RootTag;
import com.oracle.truffle.api.instrumentation.StandardTags.StatementTag;
import com.oracle.truffle.api.instrumentation.TruffleInstrument;
import com.oracle.truffle.api.instrumentation.TruffleInstrument.Registration;
import com.oracle.truffle.api.instrumentation.provider.TruffleInstrumentProvider;
import com.oracle.truffle.js.nodes.function.JSBuiltinNode;
import com.oracle.truffle.js.nodes.instrumentation.JSTags.BuiltinRootTag;
import java.util.Collection;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// What the engine asks while it runs a mutator: whether it may go on, at each statement; and
/// whether what one step is about to do is too much, at those steps in which it never looks up and
/// that make much of little. Thread-safe.
final class Guard extends TruffleInstrument {
  static final String ID = "replistream-guard";

  /// The run on each thread.
  @SuppressWarnings("ThreadLocalUsage") // there is one guard
  private final ThreadLocal<Watchdog.@Nullable Watch> running = new ThreadLocal<>();

  /// Says whose run is on this thread.
  void runs(Watchdog.Watch watch) {
    running.set(watch);
  }

  /// Says that none is any more.
  void ended() {
    running.remove();
  }

  /// Ends a run. No guest code can catch it, and none of a `finally` runs for it. Made before it is
  /// needed, as it may be thrown where the stack is at its end.
  static final class Ended extends Error {
    private static final long serialVersionUID = 1;

    Ended() {
      super("a limit was exceeded", null, false, false);
    }
  }

  @Override
  protected void onCreate(Env env) {
    var instrumenter = env.getInstrumenter();
    instrumenter.attachExecutionEventFactory(
        SourceSectionFilter.newBuilder()
            .tagIs(StatementTag.class)
            .sourceIs(source -> !source.isInternal())
            .build(),
        context -> new Statement(running, context));
    instrumenter.attachExecutionEventFactory(
        SourceSectionFilter.newBuilder().tagIs(BuiltinRootTag.class).build(), Guard::builtIn);
    // before the function runs for the first time
    instrumenter.attachLoadSourceSectionListener(
        SourceSectionFilter.newBuilder()
            .tagIs(RootTag.class)
            .sourceIs(source -> !source.isInternal())
            .build(),
        loaded -> Measured.in(loaded.getNode().getRootNode()),
        true);
    env.registerService(this);
  }

  private static @Nullable ExecutionEventNode builtIn(EventContext context) {
    if (context.getInstrumentedNode() instanceof JSBuiltinNode node) {
      String name = node.getBuiltin().getFullName().toJavaStringUncached();
      Steps.Check check = Steps.of(name);
      return check == null ? null : new BuiltIn(name, check);
    }
    return null;
  }

  /// A statement of the application's.
  private static final class Statement extends ExecutionEventNode {
    private final ThreadLocal<Watchdog.@Nullable Watch> running;
    private final EventContext context;

    Statement(ThreadLocal<Watchdog.@Nullable Watch> running, EventContext context) {
      this.running = running;
      this.context = context;
    }

    @Override
    protected void onEnter(VirtualFrame frame) {
      Watchdog.Watch run = running.get();
      if (run != null && run.mustEnd()) {
        throw run.endsAt(context);
      }
    }
  }

  /// A function of the engine's own.
  private static final class BuiltIn extends ExecutionEventNode {
    private final String name;
    private final Steps.Check check;

    BuiltIn(String name, Steps.Check check) {
      this.name = name;
      this.check = check;
    }

    @Override
    protected void onEnter(VirtualFrame frame) {
      check.requireSmall(name, frame.getArguments());
    }
  }

  /// By which the engine finds the guard.
  @Registration(id = ID, name = "Replistream's guard", version = "1")
  public static final class Provider extends TruffleInstrumentProvider {
    /// For the engine.
    public Provider() {}

    @Override
    protected String getInstrumentClassName() {
      return Guard.class.getName();
    }

    @Override
    protected Object create() {
      return new Guard();
    }

    @Override
    protected Collection<String> getServicesClassNames() {
      return List.of(Guard.class.getName());
    }
  }
}
