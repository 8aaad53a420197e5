package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.TestServiceProcess;
import dev.replistream.api.JsonValue;
import dev.replistream.auth.DevelopmentKey;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
final class TokenCommandTest {
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  @TempDir private Path dir;

  private CommandRun run(Map<String, String> variables, String... args) throws Exception {
    if (variables.isEmpty()) {
      DevelopmentKey.loadOrCreate(dir); // as a server does
    }
    Map<String, String> environment = new HashMap<>(variables);
    environment.putIfAbsent("REPLISTREAM_DATA_DIR", dir.toString());
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
  void theTokenIsAllThatIsPrinted() throws Exception {
    CommandRun run = run(Map.of(), "token", "--user", "bob");

    assertThat(run.exitCode()).isZero();
    assertThat(run.err().toString()).isEmpty();
    assertThat(run.out().toString()).matches("eyJ[\\w-]+\\.[\\w-]+\\.[\\w-]+\n");
    TokenClaims claims = TokenClaims.read(run.out().toString().strip()).orElseThrow();
    assertThat(claims.subject()).contains("bob");
    assertThat(claims.has("scope")).isFalse();
    assertThat(claims.has("sid")).isFalse();
    assertThat(claims.time("exp").orElseThrow())
        .isBetween(Instant.now().plusSeconds(3500), Instant.now().plusSeconds(3602));
  }

  @Test
  void timeAndScopesAreAsAskedFor() throws Exception {
    CommandRun run =
        run(
            Map.of("REPLISTREAM_AUTH_SECRET", SECRET, "REPLISTREAM_AUTH_ISSUER", "us"),
            "token",
            "--user",
            "bob",
            "--ttl",
            "P1D",
            "--scope",
            "replicache:poke",
            "--scope",
            "a",
            "--sid",
            "s1");

    TokenClaims claims = TokenClaims.read(run.out().toString().strip()).orElseThrow();
    assertThat(claims.members().get("scope")).isEqualTo(JsonValue.of("a replicache:poke"));
    assertThat(claims.members().get("iss")).isEqualTo(JsonValue.of("us"));
    assertThat(claims.members().get("sid")).isEqualTo(JsonValue.of("s1"));
    assertThat(Duration.between(Instant.now(), claims.time("exp").orElseThrow()))
        .isBetween(Duration.ofHours(23), Duration.ofHours(25));
    assertThat(dir).isEmptyDirectory();
  }

  @Test
  void theSecretOfAFileSignsToo() throws Exception {
    Path file = dir.resolve("settings.yaml");
    Files.writeString(
        file, "replistream:\n  auth:\n    secret: " + SECRET + "\n    issuer: them\n");

    CommandRun run = run(Map.of(), "token", "--config", file.toString(), "--user", "bob");
    CommandRun same = run(Map.of(), "--config", file.toString(), "token", "--user", "bob");

    for (CommandRun each : new CommandRun[] {run, same}) {
      TokenClaims claims = TokenClaims.read(each.out().toString().strip()).orElseThrow();
      assertThat(claims.members().get("iss")).isEqualTo(JsonValue.of("them"));
    }
  }

  @Test
  void aKeySetCanNotSign() throws Exception {
    CommandRun run = run(Map.of("REPLISTREAM_AUTH_JWKS", "/keys.json"), "token", "--user", "bob");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out().toString()).isEmpty();
    assertThat(run.err().toString())
        .startsWith(
            "replistream: replistream.auth.jwks: its keys verify tokens and can't sign them")
        .hasLineCount(1);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "''  | PT1H   | a   | a user id is 1 to 128 characters",
        "bob | PT0S   | a   | a token is good for 1 s to 100 years",
        "bob | -PT1H  | a   | a token is good for 1 s to 100 years",
        "bob | P36600D| a   | a token is good for 1 s to 100 years",
        "bob | P31D   | a   | no longer than replistream.auth.revocation-life, which is PT720H",
        "bob | PT1H   | a b | a scope is printable ASCII",
      })
  void badValuesAreOneLine(String user, String ttl, String scope, String expected)
      throws Exception {
    CommandRun run = run(Map.of(), "token", "--user=" + user, "--ttl=" + ttl, "--scope=" + scope);

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.out().toString()).isEmpty();
    assertThat(run.err().toString()).contains(expected).hasLineCount(1);
  }

  @Test
  void aTimeThatIsNoDurationIsExplained() throws Exception {
    CommandRun run = run(Map.of(), "token", "--user", "bob", "--ttl", "1h");

    assertThat(run.exitCode()).isEqualTo(2);
    assertThat(run.err().toString()).contains("'1h' is not a duration such as PT30S or PT1H");
  }
}
