package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.cli.CommandProcess;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// A service inside a program of somebody else, as the end of its process finds it.
@Timeout(90)
class EmbeddedServiceTest {
  private static final Pattern STARTED =
      Pattern.compile(".*event=start address=127\\.0\\.0\\.1:(\\d+) admin-port=(\\d+) .*");

  /// What a JVM says that SIGTERM ended.
  private static final int TERMINATED = 143;

  @TempDir private Path directory;

  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void useFreePortsAndOwnFiles() {
    environment.put("REPLISTREAM_HOST", "127.0.0.1");
    environment.put("REPLISTREAM_PORT", "0");
    environment.put("REPLISTREAM_ADMIN_PORT", "0");
    environment.put("REPLISTREAM_AUTH_SECRET", TestService.SECRET);
    environment.put("REPLISTREAM_DATA_DIR", directory.resolve("data").toString());
    environment.put("REPLISTREAM_STREAM_DRAIN", "PT1S");
  }

  /// A program that serves, and knows nothing of signals. With an argument it exits by itself, with
  /// that as its code, when its standard input ends.
  static final class Program {
    private Program() {}

    public static void main(String[] args) throws Exception {
      System.setErr(new PrintStream(System.out, true)); // where a program's log goes
      Application.builder().start();
      if (args.length == 0) {
        Thread.currentThread().join();
      }
      System.in.transferTo(System.out);
      System.exit(Integer.parseInt(args[0]));
    }
  }

  private static ServiceClient client(CommandProcess program) throws Exception {
    Matcher started = STARTED.matcher(program.out().await("event=start"));
    assertThat(started.matches()).isTrue();
    return new ServiceClient(
        Integer.parseInt(started.group(1)),
        Integer.parseInt(started.group(2)),
        TestService.settings(),
        Clock.systemUTC());
  }

  private static void assertDrained(StreamClient stream) {
    assertThat(stream.untilEnd(Duration.ofSeconds(20))).isEmpty();
    assertThat(stream.reconnectionMillis()).isBetween(2_001L, 8_000L);
  }

  @Test
  void aSignalDrainsItAndTheNextStartKnowsWhoMissedNothing() throws Exception {
    String lastEventId;
    try (CommandProcess program = CommandProcess.start(Program.class, environment, List.of())) {
      ServiceClient client = client(program);
      try (StreamClient stream = client.connected("alice")) {
        client.poke("alice");
        lastEventId = stream.expect("sync").lastEventId();

        program.terminate();

        assertDrained(stream);
        assertThat(program.exitCode()).isEqualTo(TERMINATED);
        // of the log the JVM may have closed the end by now
        assertThat(program.out().toString()).doesNotContain("Exception");
      }
    }

    try (CommandProcess program = CommandProcess.start(Program.class, environment, List.of())) {
      ServiceClient client = client(program);
      try (StreamClient stream =
          client.open(client.stream("alice").with("Last-Event-ID", lastEventId))) {
        assertThat(stream.expect("connected").lastEventId()).isEqualTo(lastEventId);
      }
    }
  }

  @Test
  void theProgramsOwnExitDrainsItAndKeepsItsCode() throws Exception {
    try (CommandProcess program =
        CommandProcess.start(Program.class, environment, List.of(), "7")) {
      try (StreamClient stream = client(program).connected("alice")) {
        program.endInput();

        assertDrained(stream);
        assertThat(program.exitCode()).isEqualTo(7);
      }
    }
  }
}
