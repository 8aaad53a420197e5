package dev.replistream;

import dev.replistream.cli.Commands;
import java.io.PrintWriter;
import java.time.Clock;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;

/// The command line's entry.
public final class Main {
  private Main() {}

  /// Runs one command and exits with its code.
  public static void main(String[] args) {
    // no library writes numbers as the people here do: what this program says is for machines too
    Locale.setDefault(Locale.ROOT);
    System.setProperty("jdk.httpclient.allowRestrictedHeaders", "host"); // see cli.Api
    System.setProperty("java.util.logging.manager", Logs.Manager.class.getName());
    if (Runtime.getRuntime().availableProcessors() == 1) { // a second carrier, see http.LongTurns
      System.setProperty("jdk.virtualThreadScheduler.parallelism", "2");
    }
    Map<String, String> environment = System.getenv();
    Clock clock = Clock.systemUTC();
    String version =
        Optional.ofNullable(Main.class.getPackage().getImplementationVersion())
            .orElse("(not packaged)");
    Commands commands =
        new Commands(
            new ServiceProcess(environment, clock, System.out),
            version,
            environment,
            clock,
            new PrintWriter(System.out, false, System.out.charset()),
            new PrintWriter(System.err, false, System.err.charset()));
    System.exit(commands.run(args));
  }
}
