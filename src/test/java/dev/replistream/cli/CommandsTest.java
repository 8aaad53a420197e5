package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.TestServiceProcess;
import dev.replistream.auth.DevelopmentKey;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class CommandsTest {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  @TempDir private Path dir;

  private CommandRun run(Map<String, String> environment, String... args) throws Exception {
    CommandRun run =
        CommandRun.start(
            TestServiceProcess.of(environment, Clock.systemUTC()),
            environment,
            Clock.systemUTC(),
            args);
    var _ = run.exitCode();
    return run;
  }

  @Test
  void helpNamesEveryCommand() throws Exception {
    CommandRun run = run(Map.of(), "--help");

    assertThat(run.exitCode()).isZero();
    assertThat(run.out().toString())
        .startsWith("Usage: replistream")
        .contains(
            "--config=FILE",
            "  serve ",
            "  token ",
            "  watch ",
            "  poke ",
            "  doctor ",
            "  restored ");
  }

  @ParameterizedTest
  @ValueSource(strings = {"serve", "token", "watch", "poke", "doctor", "restored"})
  void everyCommandHasHelpAndVersionAndTakesAFile(String command) throws Exception {
    CommandRun help = run(Map.of(), command, "--help");
    CommandRun version = run(Map.of(), command, "--version");

    assertThat(help.exitCode()).isZero();
    assertThat(help.out().toString())
        .startsWith("Usage: replistream " + command)
        .contains("--config=FILE");
    assertThat(version.out().toString()).isEqualTo("replistream 1.2.3\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"surf", "--oops", "watch --oops", "doctor a b", "watch --count x", "token"})
  void misuseIsToldWithoutTheWholeHelp(String line) throws Exception {
    CommandRun run = run(Map.of(), line.split(" "));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out().toString()).isEmpty();
    assertThat(run.err().toString()).startsWith("replistream: ").contains("--help").hasLineCount(2);
  }

  @Test
  void aMistypedCommandGetsASuggestion() throws Exception {
    assertThat(run(Map.of(), "docter").err().toString()).contains("Did you mean", "doctor");
  }

  @Test
  void aTokenInTheWrongPlaceIsNotRepeated() throws Exception {
    CommandRun run = run(Map.of(), "watch", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJib2IifQ.c2ln");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("<token>").doesNotContain("eyJ", "c2ln");
  }

  @ParameterizedTest
  @ValueSource(strings = {"watch", "poke", "doctor"})
  void whereAKeyIsConfiguredTheUserHasToBeNamed(String command) throws Exception {
    CommandRun run = run(Map.of("REPLISTREAM_AUTH_SECRET", SECRET), command);

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString())
        .isEqualTo(
            "replistream: who is calling? Give --token or --user, or set REPLISTREAM_TOKEN\n");
  }

  @Test
  void noDevelopmentTokenGoesToAnotherMachine() throws Exception {
    CommandRun run =
        run(
            Map.of("REPLISTREAM_DATA_DIR", dir.toString(), "REPLISTREAM_URL", "http://a.invalid"),
            "poke");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("who is calling?");
    assertThat(dir).isEmptyDirectory();
  }

  @Test
  void aTokenAndAUserExcludeEachOther() throws Exception {
    CommandRun run = run(Map.of(), "poke", "--token", "a.b.c", "--user", "bob");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("give --token or --user, not both").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"a b", "a\nb", "é", " "})
  void aTokenThatFitsNoHeaderIsNotRepeated(String token) throws Exception {
    CommandRun run = run(Map.of(), "poke", "--token", token);

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString())
        .isEqualTo("replistream: a token is one word without spaces and line breaks\n");
  }

  @Test
  void aUserThatCanNotBeIsOneLine() throws Exception {
    DevelopmentKey.loadOrCreate(dir);
    CommandRun run = run(Map.of("REPLISTREAM_DATA_DIR", dir.toString()), "watch", "--user", "");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("--user: a user id is 1 to 128").hasLineCount(1);
  }

  @Test
  void withAnyFreePortTheUrlHasToBeGiven() throws Exception {
    CommandRun run = run(Map.of("REPLISTREAM_PORT", "0"), "poke");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("give the URL").hasLineCount(1);
  }

  @ParameterizedTest
  @ValueSource(strings = {"poke", "watch", "doctor", "token --user bob", "watch --user bob"})
  void elsewhereThanTheServerNoKeyIsMade(String line) throws Exception {
    Path elsewhere = dir.resolve("data");
    CommandRun run = run(Map.of("REPLISTREAM_DATA_DIR", elsewhere.toString()), line.split(" "));

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString())
        .startsWith("replistream: there is no development key at " + elsewhere)
        .contains("replistream.data-dir")
        .hasLineCount(1);
    assertThat(dir).isEmptyDirectory();
  }

  @ParameterizedTest
  @ValueSource(strings = {"REPLISTREAM_CONFIG", "REPLISTREAM_TOKEN", "REPLISTREAM_URL"})
  void anEmptyVariableIsOneLine(String variable) throws Exception {
    for (String empty : List.of("", " ")) {
      CommandRun run = run(Map.of(variable, empty), "watch");

      assertThat(run.exitCode()).isEqualTo(2);
      assertThat(run.err().toString()).contains(variable + " is empty").hasLineCount(1);
    }
  }

  @Test
  void lettersThatTheProcessCouldNotReadAreOneLine() throws Exception {
    CommandRun run = run(Map.of(), "token", "--user", "J\uFFFD\uFFFDrg");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("LC_ALL=C.UTF-8").hasLineCount(1);
  }

  @Test
  void aHostWithAnUnderscoreIsOne() throws Exception {
    CommandRun plain = run(Map.of(), "poke", "--token", "a.b.c", "--url", "http://no_such_host:1");
    CommandRun tls = run(Map.of(), "poke", "--token", "a.b.c", "--url", "https://no_such_host");

    assertThat(plain.exitCode()).isEqualTo(1);
    assertThat(plain.err().toString())
        .isEqualTo("replistream: there is no host named no_such_host\n");
    assertThat(tls.exitCode()).isEqualTo(2);
    assertThat(tls.err().toString()).contains("underscore").hasLineCount(1);
  }

  @Test
  void badSettingsStopAClientThatNeedsThem() throws Exception {
    CommandRun run = run(Map.of("REPLISTREAM_PORT", "many"), "poke");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("replistream.port: from 0 to 65535").hasLineCount(1);
  }
}
