package dev.replistream.db;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;

/// The processes of a PostgreSQL server that a test started, by its data directory.
public final class PostgresProcesses {
  private PostgresProcesses() {}

  /// The server's processes, the one that started the others first.
  static List<ProcessHandle> of(Path data) throws IOException {
    long pid = Long.parseLong(Files.readAllLines(data.resolve("postmaster.pid")).getFirst());
    ProcessHandle postmaster = ProcessHandle.of(pid).orElseThrow();
    return Stream.concat(Stream.of(postmaster), postmaster.descendants()).toList();
  }

  /// Lets the server hang: its sockets still take what comes, and nothing answers.
  public static void suspend(Path data) throws IOException, InterruptedException {
    signal(data, "STOP");
  }

  /// Lets a server that hangs go on.
  public static void resume(Path data) throws IOException, InterruptedException {
    signal(data, "CONT");
  }

  /// Signals the process that starts others first, so that none is forgotten.
  private static void signal(Path data, String signal) throws IOException, InterruptedException {
    signal(of(data).subList(0, 1), signal);
    signal(of(data), signal);
  }

  private static void signal(List<ProcessHandle> processes, String signal)
      throws IOException, InterruptedException {
    List<String> command = new ArrayList<>(List.of("kill", "-" + signal));
    processes.forEach(process -> command.add(String.valueOf(process.pid())));
    new ProcessBuilder(command).start().waitFor(); // fails for those that ended meanwhile
  }
}
