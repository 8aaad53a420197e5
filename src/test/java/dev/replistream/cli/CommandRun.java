package dev.replistream.cli;

import java.time.Clock;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;

/// One command, run in this process on a thread of its own.
final class CommandRun implements AutoCloseable {
  private static final int DEADLINE_SECONDS = 60;

  private final Lines out = new Lines();
  private final Lines err = new Lines();
  private final FutureTask<Integer> task;
  private final Thread thread;

  private CommandRun(
      Service service, Map<String, String> environment, Clock clock, String... args) {
    Commands commands =
        new Commands(service, "1.2.3", environment, clock, out.writer(), err.writer());
    task = new FutureTask<>(() -> commands.run(args));
    thread = Thread.ofVirtual().name("command").start(task);
  }

  /// Starts a command.
  static CommandRun start(
      Service service, Map<String, String> environment, Clock clock, String... args) {
    return new CommandRun(service, environment, clock, args);
  }

  /// What it prints as its result.
  Lines out() {
    return out;
  }

  /// What it prints about its progress and failure.
  Lines err() {
    return err;
  }

  /// Waits for its end.
  int exitCode() throws Exception {
    return task.get(DEADLINE_SECONDS, TimeUnit.SECONDS);
  }

  /// Interrupts it.
  @Override
  public void close() {
    thread.interrupt();
  }
}
