package dev.replistream.cli;

import dev.replistream.cli.Api.Opened;
import dev.replistream.cli.Api.Refused;
import dev.replistream.cli.Api.StreamAnswer;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.function.Supplier;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/// `doctor`: uses a service as a browser would, through whatever proxies stand before it, and says
/// what is wrong on the way.
@Command(
    name = "doctor",
    description = {
      "Says what is wrong between a client and the service, and what to do.",
      "It opens a stream, pokes, and closes it, as a browser would, and looks at everything that a"
          + " proxy on the way may spoil. Exits with 0 when nothing failed, else with 1."
    })
final class DoctorCommand implements Callable<Integer> {
  @Mixin private final ClientOptions client;
  private final Clock clock;
  private final Terminal terminal;

  @Parameters(
      arity = "0..1",
      paramLabel = "URL",
      description = "The service. Default: REPLISTREAM_URL, else the configured port here.")
  private Optional<String> url = Optional.empty();

  @Option(
      names = "--origin",
      paramLabel = "ORIGIN",
      description = "Ask as a page of this origin would, such as https://app.example.com.")
  private Optional<String> origin = Optional.empty();

  @Option(names = "--wait", description = "Wait for a ping too, for the interval and 5 s.")
  private boolean wait;

  @Option(
      names = "--ping-interval",
      paramLabel = "DURATION",
      description = "What replistream.stream.ping-interval is there. Default: PT30S.")
  private Duration pingInterval = Duration.ofSeconds(30);

  DoctorCommand(ClientOptions client, Clock clock, Terminal terminal) {
    this.client = client;
    this.clock = clock;
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws InterruptedException {
    if (origin.filter(text -> !text.matches("[!-~]+")).isPresent()) {
      throw new CommandException("--origin: an origin is like https://app.example.com");
    }
    URI base = client.url(url);
    Supplier<String> credential = client.credential(base, Set.of());
    Report report = new Report(terminal);
    try (Api api = new Api(base, credential, clock)) {
      terminal.print("Looking at " + api.url("/stream"));
      new TokenCheck(report, clock.instant()).run(credential.get());
      examine(api, report);
    } catch (UnreachableException e) {
      report.fail("connection", String.valueOf(e.getMessage()), e.advice());
    } catch (IOException e) {
      report.fail(
          "connection",
          "it broke: " + e.getMessage(),
          "The log of the service or of a proxy on the way has the reason.");
    }
    report.conclude();
    return report.isHealthy() ? 0 : 1;
  }

  private void examine(Api api, Report report) throws IOException, InterruptedException {
    Map<String, String> headers = new HashMap<>();
    headers.put("Accept-Encoding", "gzip, deflate, br, zstd"); // as a browser does
    origin.ifPresent(text -> headers.put("Origin", text));
    StreamAnswer answer = api.openStream(headers);
    Head head = answer.head();
    HeadCheck headCheck = new HeadCheck(report, head);
    switch (answer) {
      case Refused(Answer refusal) -> {
        new StatusCheck(report).run(refusal, client.hint(refusal));
        headCheck.clock();
        if (origin.isPresent()) {
          headCheck.cors(api, origin.get());
        }
      }
      case Opened opened -> {
        try (EventStream stream = new EventStream(opened.body(), "")) {
          report.ok(
              "status",
              "200 over %s, after %s"
                  .formatted(
                      head.protocol(),
                      Report.spoken(Duration.between(head.sentAt(), head.receivedAt()))));
          boolean readable = headCheck.run(api.url("/stream"));
          headCheck.clock();
          if (origin.isPresent()) {
            headCheck.cors(api, origin.get());
          }
          if (readable) {
            examine(api, report, stream, head);
          }
        }
      }
    }
  }

  private void examine(Api api, Report report, EventStream stream, Head head)
      throws IOException, InterruptedException {
    StreamCheck check = new StreamCheck(report, api, stream);
    if (!check.begins(head.sentNanoTime()) || !new PokeCheck(report, api, stream).run()) {
      return;
    }
    if (!wait || check.pings(pingInterval)) {
      check.isLetGo();
    }
    new TicketCheck(report, api).run();
  }
}
