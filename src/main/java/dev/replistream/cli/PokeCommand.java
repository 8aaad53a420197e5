package dev.replistream.cli;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Num;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.auth.Caller;
import java.io.IOException;
import java.net.URI;
import java.time.Clock;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/// `poke`: tells the clients of users to pull.
@Command(
    name = "poke",
    description = "Pokes the caller or others, and prints how many connections were told.")
final class PokeCommand implements Callable<Integer> {
  @Mixin private final ClientOptions client;
  @Mixin private final UrlOption url = new UrlOption();
  private final Clock clock;
  private final Terminal terminal;

  @Option(
      names = "--for",
      paramLabel = "USER",
      description = "Poke this user; the token needs the scope replicache:poke. Repeatable.")
  private List<String> users = new ArrayList<>();

  PokeCommand(ClientOptions client, Clock clock, Terminal terminal) {
    this.client = client;
    this.clock = clock;
    this.terminal = terminal;
  }

  @Override
  public Integer call() throws InterruptedException {
    URI base = client.url(url.given());
    Set<String> scopes = users.isEmpty() ? Set.of() : Set.of(Caller.POKE_SCOPE);
    try (Api api = new Api(base, client.credential(base, scopes), clock)) {
      boolean done = true;
      if (users.isEmpty()) {
        done = poke(api, Optional.empty());
      }
      for (String user : new LinkedHashSet<>(users)) {
        done = done && poke(api, Optional.of(body(user)));
      }
      return done ? 0 : 1;
    } catch (IOException e) {
      terminal.report(String.valueOf(e.getMessage()));
      return 1;
    }
  }

  private boolean poke(Api api, Optional<String> body) throws IOException, InterruptedException {
    Answer answer = api.post("/poke-user", body);
    if (answer.head().status() == 200
        && answer.json().get("clientsNotified") instanceof Num(String notified)
        && answer.json().get("userId") instanceof Str(String user)) {
      terminal.print(
          "notified %s connection%s of %s"
              .formatted(notified, notified.equals("1") ? "" : "s", user));
      return true;
    }
    terminal.report(client.failure(answer));
    return false;
  }

  private static String body(String user) {
    return JsonValue.object().with("userId", user).build().toJson();
  }
}
