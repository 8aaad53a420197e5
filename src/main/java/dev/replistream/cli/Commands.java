package dev.replistream.cli;

import java.io.PrintWriter;
import java.time.Clock;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.ParseResult;
import picocli.CommandLine.ScopeType;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/// The program `replistream` with all its commands. Runs one of them, once, on the calling thread.
public final class Commands {
  /// The exit code of a wrong option or setting.
  private static final int USAGE = 2;

  private static final int HELP_WIDTH = 100;

  /// What a shell says of a command that was interrupted.
  private static final int INTERRUPTED = 130;

  /// What a JVM puts in the place of a byte that it can't read.
  private static final char UNREADABLE = '\uFFFD';

  private final CommandLine commandLine;
  private final Terminal terminal;

  /// Puts the commands together.
  ///
  /// @param version what `--version` prints
  /// @param environment the process's environment
  /// @param out where results go
  /// @param err where failures and progress go
  public Commands(
      Service service,
      String version,
      Map<String, String> environment,
      Clock clock,
      PrintWriter out,
      PrintWriter err) {
    terminal = new Terminal(out, err);
    ConfigFile config = new ConfigFile(environment);
    ServeCommand serve = new ServeCommand(service, config, terminal);
    commandLine = new CommandLine(new Root(serve));
    commandLine
        .getCommandSpec()
        .version("replistream " + version)
        .addMixin("config", CommandSpec.forAnnotatedObject(config));
    commandLine
        .addSubcommand("serve", serve)
        .addSubcommand("token", new TokenCommand(service, config, terminal))
        .addSubcommand(
            "watch", new WatchCommand(client(service, config, environment), clock, terminal))
        .addSubcommand(
            "poke", new PokeCommand(client(service, config, environment), clock, terminal))
        .addSubcommand(
            "doctor", new DoctorCommand(client(service, config, environment), clock, terminal))
        .addSubcommand(
            "export", new ExportCommand(client(service, config, environment), clock, terminal))
        .addSubcommand(
            "import", new ImportCommand(client(service, config, environment), clock, terminal))
        .addSubcommand("backup", new BackupCommand(service, config, terminal))
        .addSubcommand("restored", new RestoredCommand(service, config, terminal))
        .setUsageHelpWidth(HELP_WIDTH)
        .setOut(out)
        .setErr(err)
        .registerConverter(Duration.class, Commands::duration)
        .setParameterExceptionHandler(this::misused)
        .setExecutionExceptionHandler(this::failed);
  }

  private static ClientOptions client(
      Service service, ConfigFile config, Map<String, String> environment) {
    return new ClientOptions(service, config, environment);
  }

  /// Runs the command that `args` name, or serve where they name none.
  ///
  /// @return the exit code: 0 for success, 1 for a failure of the command's work, 2 for a wrong
  ///   option or setting, 130 for an interrupt
  public int run(String... args) {
    if (Arrays.stream(args).anyMatch(arg -> arg.indexOf(UNREADABLE) >= 0)) {
      terminal.report(
          "an argument has letters that this process can't read: start it with LC_ALL=C.UTF-8");
      return USAGE;
    }
    return commandLine.execute(args);
  }

  private static Duration duration(String text) {
    try {
      return Duration.parse(text);
    } catch (DateTimeParseException _) {
      throw new TypeConversionException(
          "'" + text + "' is not a duration such as PT30S or PT1H (ISO 8601)");
    }
  }

  private int misused(ParameterException e, String[] args) {
    // an argument that was taken for something else may be a token
    terminal.report(String.valueOf(e.getMessage()).replaceAll("eyJ[\\w.-]*", "<token>"));
    PrintWriter err = e.getCommandLine().getErr();
    UnmatchedArgumentException.printSuggestions(e, err);
    terminal.report("see %s --help".formatted(e.getCommandLine().getCommandSpec().qualifiedName()));
    return USAGE;
  }

  private int failed(Exception e, CommandLine command, ParseResult parsed) throws Exception {
    if (e instanceof CommandException) {
      terminal.report(String.valueOf(e.getMessage()));
      return USAGE;
    }
    if (e instanceof InterruptedException) {
      Thread.currentThread().interrupt();
      return INTERRUPTED;
    }
    throw e; // a bug: its trace is shown
  }

  @Command(
      name = "replistream",
      mixinStandardHelpOptions = true,
      scope = ScopeType.INHERIT,
      synopsisSubcommandLabel = "[COMMAND]",
      description = "The server side of Replicache. Without a command it serves.")
  private static final class Root implements Callable<Integer> {
    private final ServeCommand serve;

    Root(ServeCommand serve) {
      this.serve = serve;
    }

    @Override
    public Integer call() throws InterruptedException {
      return serve.call();
    }
  }
}
