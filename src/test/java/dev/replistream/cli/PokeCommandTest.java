package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Path;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

@Timeout(60)
final class PokeCommandTest {
  private static LiveService service;

  @BeforeAll
  static void start(@TempDir Path dataDir) {
    service = new LiveService(dataDir);
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  @Test
  void aPokeReachesTheStreamsOfTheCaller() throws Exception {
    try (CommandRun one = service.start("watch", "--user", "ann");
        CommandRun two = service.start("watch", "--user", "ann");
        CommandRun other = service.start("watch", "--user", "other")) {
      for (CommandRun watch : new CommandRun[] {one, two, other}) {
        var _ = watch.out().await("connected");
      }

      CommandRun poke = service.start("poke", "--user", "ann");

      assertThat(poke.exitCode()).isZero();
      assertThat(poke.out().toString()).isEqualTo("notified 2 connections of ann\n");
      var _ = one.out().await("sync");
      var _ = two.out().await("sync");
      assertThat(other.out().toString()).doesNotContain("sync");
    }
  }

  @Test
  void othersArePokedOneByOne() throws Exception {
    try (CommandRun watch = service.start("watch", "--user", "ben \"b\" €")) {
      var _ = watch.out().await("connected");

      CommandRun poke = service.start("poke", "--for", "ben \"b\" €", "--for", "nobody");

      assertThat(poke.exitCode()).isZero();
      assertThat(poke.out().toString())
          .isEqualTo("notified 1 connection of ben \"b\" €\nnotified 0 connections of nobody\n");
      var _ = watch.out().await("sync");
    }
  }

  @Test
  void withoutTheScopeOthersAreNotPoked() throws Exception {
    CommandRun poke = service.start("poke", "--token", service.token("ann"), "--for", "ben");

    assertThat(poke.exitCode()).isEqualTo(1);
    assertThat(poke.out().toString()).isEmpty();
    assertThat(poke.err().toString())
        .isEqualTo(
            "replistream: 403: Poking other users needs a token with the scope replicache:poke.\n");
  }

  @Test
  void aTokenOfTheEnvironmentCounts() throws Exception {
    Map<String, String> variables = Map.of("REPLISTREAM_TOKEN", service.token("env"));

    assertThat(output(service.startWith(variables, "poke"))).contains("of env\n");
    assertThat(output(service.startWith(variables, "poke", "--user", "ann"))).contains("of ann\n");
    assertThat(output(service.startWith(variables, "poke", "--token", service.token("cli"))))
        .contains("of cli\n");
  }

  private static String output(CommandRun run) throws Exception {
    assertThat(run.exitCode()).isZero();
    return run.out().toString();
  }

  @Test
  void aBadTokenIsRefusedInTheServicesWords() throws Exception {
    CommandRun poke = service.start("poke", "--token", "abc");

    assertThat(poke.exitCode()).isEqualTo(1);
    assertThat(poke.err().toString()).startsWith("replistream: 401: This is not a signed JWT");
  }

  @Test
  void anAnswerOfSomethingElseIsSaidToBeSo() throws Exception {
    try (ScriptedServer server = ScriptedServer.of("200 OK", "", "")) {
      CommandRun poke = service.start("poke", "--url", server.url());

      assertThat(poke.exitCode()).isEqualTo(1);
      assertThat(poke.err().toString())
          .contains("200: not an answer of Replistream")
          .hasLineCount(1);
    }
  }

  @Test
  void aServiceThatIsNotThereIsOneLine() throws Exception {
    CommandRun poke = service.start("poke", "--url", "http://127.0.0.1:1");

    assertThat(poke.exitCode()).isEqualTo(1);
    assertThat(poke.err().toString()).isEqualTo("replistream: nothing listens at 127.0.0.1:1\n");
  }
}
