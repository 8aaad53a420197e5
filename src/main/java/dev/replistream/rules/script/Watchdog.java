package dev.replistream.rules.script;

import com.oracle.truffle.api.instrumentation.EventContext;
import com.oracle.truffle.api.source.SourceSection;
import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;
import java.time.Duration;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.graalvm.polyglot.Context;
import org.jspecify.annotations.Nullable;

/// Ends runs that take too much CPU or memory. One thread looks at all of them every few
/// milliseconds; while none was there for a while it sleeps. Thread-safe.
final class Watchdog implements AutoCloseable {
  private static final Duration TICK = Duration.ofMillis(5);
  private static final int IDLE_TICKS = 200;
  private static final Duration PATIENCE = Duration.ofSeconds(1);

  private final ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
  private final Guard guard;
  private final long maxCpuNanos;
  private final long maxMemoryBytes;
  private final long maxStatements;
  private final Set<Watch> watches = ConcurrentHashMap.newKeySet();
  private final Thread thread;
  private volatile boolean asleep;
  private volatile boolean closed;

  Watchdog(Guard guard, Duration maxCpu, long maxMemoryBytes, long maxStatements) {
    this.guard = guard;
    this.maxCpuNanos = maxCpu.toNanos();
    this.maxMemoryBytes = maxMemoryBytes;
    this.maxStatements = maxStatements;
    thread = Thread.ofPlatform().daemon().name("script-watchdog").start(this::look);
  }

  /// Which limit a run has exceeded.
  enum Limit {
    CPU,
    MEMORY,
    STATEMENTS,
    /// How deep functions may call each other; the engine's own.
    DEPTH,
    /// How much may be done in one step, or be in one string: {@link Steps}.
    STEP
  }

  Watch watch(Context context) {
    Watch watch = new Watch(context);
    watches.add(watch);
    return watch;
  }

  /// How many contexts are watched.
  int watches() {
    return watches.size();
  }

  private void look() {
    int idle = 0;
    while (!closed || !watches.isEmpty()) {
      boolean isIdle = true;
      for (Watch each : watches) {
        isIdle &= !each.look();
      }
      idle = isIdle ? idle + 1 : 0;
      if (idle < IDLE_TICKS) {
        LockSupport.parkNanos(TICK.toNanos());
      } else {
        sleep();
        idle = 0;
      }
    }
  }

  private void sleep() {
    asleep = true;
    while (asleep && !closed && watches.stream().noneMatch(Watch::isRunning)) {
      LockSupport.park(this);
    }
    asleep = false;
  }

  /// Ends as soon as no context is watched any more: a run that is under way keeps its limits.
  @Override
  public void close() {
    closed = true;
    LockSupport.unpark(thread);
  }

  /// Watches the runs in one context, of which there is one at a time.
  final class Watch implements AutoCloseable {
    private static final int NONE = 0;
    private static final int GUEST = 1; // the mutator's own code runs
    private static final int HOST = 2; // the database is at work for it: nothing may interrupt that
    private static final int FIRING = 3;

    private final Context context;
    private final AtomicInteger state = new AtomicInteger(NONE);
    private volatile @Nullable Thread runner;
    private final AtomicLong run = new AtomicLong();
    private volatile @Nullable Limit exceeded;

    // the watchdog's own
    private long seenRun;
    private long seenCpuNanos;
    private boolean isClosing;

    // the runner's own, read by the watchdog through `run`
    private volatile long bytesBefore;

    // the runner's own
    private final Guard.Ended ended = new Guard.Ended();
    private long statementsLeft;
    private @Nullable EventContext end;

    private Watch(Context context) {
      this.context = context;
    }

    /// Begins to count statements on this thread, and no more than that: a module may take its time
    /// to load, in an engine that is cold.
    void beginLoad() {
      exceeded = null;
      end = null;
      statementsLeft = maxStatements;
      guard.runs(this);
    }

    /// Counts no more.
    void endLoad() {
      guard.ended();
    }

    /// A run begins, on this thread.
    void begin() {
      beginLoad();
      bytesBefore = threads.getCurrentThreadAllocatedBytes();
      runner = Thread.currentThread();
      run.incrementAndGet();
      state.set(GUEST);
      if (asleep) {
        asleep = false;
        LockSupport.unpark(thread);
      }
    }

    /// Counts a statement.
    ///
    /// @return whether the run has to end here
    boolean mustEnd() {
      if (--statementsLeft < 0 && exceeded == null) {
        exceeded = Limit.STATEMENTS;
      }
      return exceeded != null;
    }

    /// The run ends at this statement, with what is to be thrown there.
    Guard.Ended endsAt(EventContext statement) {
      end = statement;
      return ended;
    }

    /// The statement at which the run was ended, if it was at one.
    Optional<SourceSection> end() {
      return Optional.ofNullable(end).map(EventContext::getInstrumentedSourceSection);
    }

    /// The run calls the server.
    ///
    /// @return false when it may not, as it is being ended
    boolean enterHost() {
      return exceeded == null && state.compareAndSet(GUEST, HOST);
    }

    /// The server has answered.
    void leaveHost() {
      state.set(GUEST);
    }

    /// The run has ended. Afterwards nothing interrupts this thread any more.
    ///
    /// @return how many bytes it has allocated
    long finish() {
      guard.ended();
      // a stack that overflowed may have left it as if the server were at work
      while (!state.compareAndSet(GUEST, NONE) && !state.compareAndSet(HOST, NONE)) {
        Thread.onSpinWait(); // while it is being interrupted, which ends as it has left
      }
      if (exceeded != null) {
        Thread.interrupted(); // the engine interrupts the thread too
      }
      runner = null;
      return threads.getCurrentThreadAllocatedBytes() - bytesBefore;
    }

    /// The limit that the last run has exceeded.
    Optional<Limit> exceeded() {
      return Optional.ofNullable(exceeded);
    }

    private boolean isRunning() {
      return state.get() != NONE;
    }

    /// Looks at the run, by the watchdog's thread.
    ///
    /// @return whether there is one
    private boolean look() {
      Thread running = runner;
      long number = run.get();
      if (running == null || !isRunning()) {
        return false;
      }
      long cpuNanos =
          running.isVirtual() ? System.nanoTime() : threads.getThreadCpuTime(running.threadId());
      if (number != seenRun) {
        seenRun = number;
        seenCpuNanos = cpuNanos;
        return true;
      }
      long bytes =
          running.isVirtual()
              ? 0
              : threads.getThreadAllocatedBytes(running.threadId()) - bytesBefore;
      Limit limit =
          cpuNanos - seenCpuNanos > maxCpuNanos
              ? Limit.CPU
              : bytes > maxMemoryBytes ? Limit.MEMORY : null;
      if (limit != null && number == run.get() && state.compareAndSet(GUEST, FIRING)) {
        fire(limit, number);
      }
      return true;
    }

    /// Ends the run: first so that it knows where it was; if it goes on nevertheless, as what is in
    /// a `finally` may, for good. Both wait till it has ended, and others are to be looked at
    /// meanwhile.
    private void fire(Limit limit, long number) {
      if (number != run.get()) { // of another one, which is to go on
        state.set(GUEST);
      } else if (exceeded == null) {
        exceeded = limit;
        Thread.ofPlatform().daemon().name("script-interrupt").start(this::interrupt);
      } else {
        if (!isClosing) {
          isClosing = true;
          Thread.ofPlatform().daemon().name("script-close").start(() -> context.close(true));
        }
        state.set(GUEST);
      }
    }

    private void interrupt() {
      try {
        context.interrupt(PATIENCE);
      } catch (TimeoutException _) {
        // in a function of the engine that does not look up; it is looked at again
      } finally {
        state.set(GUEST);
      }
    }

    @Override
    public void close() {
      watches.remove(this);
    }
  }
}
