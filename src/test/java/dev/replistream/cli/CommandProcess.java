package dev.replistream.cli;

import dev.replistream.Main;
import dev.replistream.QuickStart;
import java.io.BufferedReader;
import java.io.File;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;

/// One command, run in a process of its own as a user would.
public final class CommandProcess implements AutoCloseable {
  private static final int DEADLINE_SECONDS = 60;

  private final Process process;
  private final Lines out = new Lines();
  private final Lines err = new Lines();
  private final List<Thread> readers = new ArrayList<>();

  private CommandProcess(Process process) {
    this.process = process;
    read(process.inputReader(), out);
    read(process.errorReader(), err);
  }

  /// Starts a command in a process with nothing of `REPLISTREAM_` in its environment but what
  /// `variables` hold.
  ///
  /// @param jvmOptions besides those of {@link QuickStart}
  public static CommandProcess start(
      Map<String, String> variables, List<String> jvmOptions, String... args) throws IOException {
    return start(Main.class, variables, jvmOptions, args);
  }

  /// Starts another program in the same way.
  public static CommandProcess start(
      Class<?> program, Map<String, String> variables, List<String> jvmOptions, String... args)
      throws IOException {
    return start(program, QuickStart.classPath(), variables, jvmOptions, args);
  }

  /// Starts a command with the classes of a directory in the place of those of the same names.
  public static CommandProcess startWithClasses(
      Path directory, Map<String, String> variables, String... args) throws IOException {
    String classPath = directory + File.pathSeparator + QuickStart.classPath();
    return start(Main.class, classPath, variables, List.of(), args);
  }

  private static CommandProcess start(
      Class<?> program,
      String classPath,
      Map<String, String> variables,
      List<String> jvmOptions,
      String... args)
      throws IOException {
    List<String> command = new ArrayList<>(QuickStart.java());
    command.addAll(jvmOptions);
    command.addAll(List.of("-cp", classPath, program.getName()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().keySet().removeIf(name -> name.startsWith("REPLISTREAM_"));
    builder.environment().putAll(variables);
    return new CommandProcess(builder.start());
  }

  /// Starts a command with nothing at all in its environment but `variables`, no locale either, in
  /// a new directory of a name beyond ASCII within `parent`.
  public static CommandProcess startWithoutLocale(
      Path parent, Map<String, String> variables, String... args) throws IOException {
    // by a shell and octal bytes, as it may be that this JVM can't name such a directory either
    String script =
        "cd \"$1\"; name=$(printf 'w\\303\\266rk'); mkdir -p \"$name\"; cd \"$name\"; shift; exec \"$@\"";
    List<String> command = new ArrayList<>(List.of("sh", "-c", script, "--", parent.toString()));
    command.addAll(QuickStart.java());
    command.addAll(List.of("-cp", QuickStart.classPath(), Main.class.getName()));
    command.addAll(List.of(args));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().clear();
    builder.environment().putAll(variables);
    return new CommandProcess(builder.start());
  }

  private void read(BufferedReader from, Lines to) {
    readers.add(
        Thread.ofVirtual()
            .start(() -> {
              try (from) {
                from.transferTo(to);
              } catch (IOException _) {
                // the process is gone
              }
            }));
  }

  /// What it prints on standard output.
  public Lines out() {
    return out;
  }

  /// What it prints on standard error.
  public Lines err() {
    return err;
  }

  /// Ends its standard input.
  public void endInput() throws IOException {
    process.getOutputStream().close();
  }

  /// Sends SIGTERM.
  public void terminate() {
    process.toHandle().destroy(); // Process.destroy would close what it prints to as well
  }

  /// Sends SIGINT, as Ctrl-C does.
  public void interrupt() throws IOException, InterruptedException {
    new ProcessBuilder("kill", "-INT", Long.toString(pid())).inheritIO().start().waitFor();
  }

  /// Waits for its end, and till all that it printed is read.
  public int exitCode() throws InterruptedException {
    if (!process.waitFor(DEADLINE_SECONDS, TimeUnit.SECONDS)) {
      throw new AssertionError("the process goes on:\n" + out + err);
    }
    for (Thread reader : readers) {
      reader.join();
    }
    return process.exitValue();
  }

  /// How the system knows it.
  public long pid() {
    return process.pid();
  }

  /// Ends it by force.
  @Override
  public void close() {
    process.destroyForcibly();
  }
}
