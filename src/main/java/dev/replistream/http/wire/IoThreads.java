package dev.replistream.http.wire;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;

/// The threads that all connections of the service share, beside their own: the sweep, which looks
/// at every connection twice a second, so that a deadline is kept to within half a second and no
/// connection needs a timer; the one that sees the clients of taken sockets leave; and the loops
/// that answer known requests, one for every two cores.
///
/// Thread-safe. All but the sweep begin when they are needed.
public final class IoThreads implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(IoThreads.class.getName());
  private static final Duration SWEEP_INTERVAL = Duration.ofMillis(500);

  private final List<Crowd> crowds = new CopyOnWriteArrayList<>();
  private final SelectorLoop endWatch = new SelectorLoop("end-watch");
  private final List<RepeatLoop> repeatLoops =
      Stream.generate(RepeatLoop::new)
          .limit(Math.max(1, Runtime.getRuntime().availableProcessors() / 2))
          .toList();
  private final AtomicInteger nextLoop = new AtomicInteger();
  private final Thread sweep = Thread.ofPlatform().name("wire-sweep").daemon().unstarted(this::run);

  /// Starts the sweep.
  public IoThreads() {
    sweep.start();
  }

  /// Lets the sweep look at the connections of `crowd`.
  void sweep(Crowd crowd) {
    crowds.add(crowd);
  }

  private void run() {
    while (!Thread.currentThread().isInterrupted()) {
      try {
        Thread.sleep(SWEEP_INTERVAL);
        crowds.forEach(IoThreads::look);
      } catch (InterruptedException _) {
        return;
      } catch (RuntimeException e) { // without this thread no deadline is kept
        LOGGER.log(Level.ERROR, "event=error where=wire-sweep", e);
      }
    }
  }

  private static void look(Crowd crowd) {
    long now = System.nanoTime();
    for (Wire wire : crowd.all()) {
      wire.enforceDeadline(now);
    }
    crowd.makeRoom();
  }

  /// What sees clients leave.
  SelectorLoop endWatch() {
    return endWatch;
  }

  /// One of the loops, each in its turn.
  RepeatLoop repeatLoop() {
    return repeatLoops.get(Math.floorMod(nextLoop.getAndIncrement(), repeatLoops.size()));
  }

  /// Lets go of channels that were closed while they were in a loop.
  void releaseLoops() {
    repeatLoops.forEach(RepeatLoop::release);
  }

  /// Ends the threads; connections are the server's to close.
  @Override
  public void close() {
    sweep.interrupt();
    endWatch.close();
    repeatLoops.forEach(RepeatLoop::close);
  }
}
