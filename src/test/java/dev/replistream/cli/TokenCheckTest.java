package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.Base64;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class TokenCheckTest {
  private static final Instant NOW = Instant.ofEpochSecond(1_000_000);

  private static List<String> lines(String token) {
    Lines out = new Lines();
    new TokenCheck(new Report(new Terminal(out.writer(), out.writer())), NOW).run(token);
    return out.toString().lines().toList();
  }

  private static String token(String payload) {
    Base64.Encoder encoder = Base64.getUrlEncoder().withoutPadding();
    return encoder.encodeToString("{\"alg\":\"HS256\"}".getBytes(StandardCharsets.US_ASCII))
        + "."
        + encoder.encodeToString(payload.getBytes(StandardCharsets.UTF_8))
        + ".c2lnbmF0dXJl";
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{'sub':'bob','exp':1003600}                | ok   | of user bob, good for 60 min",
        "{'sub':'bob','exp':1003600.5,'iat':999999} | ok   | of user bob, good for 60 min",
        "{'sub':'bob','exp':1003600,'nbf':1000030}  | ok   | of user bob",
        "{'sub':'bob','exp':1000059}                | warn | expires in 59 s",
        "{'sub':'bob','exp':999971}                 | warn | expired 29 s ago, within the tolerance",
        "{'sub':'bob','exp':999970}                 | FAIL | expired 30 s ago",
        "{'sub':'bob','exp':992800}                 | FAIL | expired 2 h ago",
        "{'sub':'bob'}                              | FAIL | it has no exp",
        "{'sub':'bob','exp':'1003600'}              | FAIL | its exp is not a number of seconds",
        "{'sub':'bob','exp':null}                   | FAIL | its exp is not a number of seconds",
        "{'sub':'bob','exp':1799999999999000}       | FAIL | its exp is not a number of seconds",
        "{'sub':'bob','exp':1003600,'nbf':1000031}  | FAIL | not valid yet: its nbf lies 31 s",
        "{'sub':'bob','exp':1003600,'iat':1000120}  | FAIL | not valid yet: its iat lies 2 min",
        "{'sub':'bob','exp':1003600,'iat':'x'}      | FAIL | its iat is not a number of seconds",
        "{'exp':1003600}                            | FAIL | its sub names no user",
        "{'sub':'','exp':1003600}                   | FAIL | its sub names no user",
        "{'sub':7,'exp':1003600}                    | FAIL | its sub names no user",
      })
  void theClaimsAreReadAsTheServiceWould(String claims, String level, String finding) {
    String token = token(claims.replace('\'', '"'));

    List<String> lines = lines(token);

    assertThat(lines.getFirst()).startsWith(level).contains(finding);
    assertThat(lines).hasSize(level.equals("ok") ? 1 : 2);
    assertThat(lines).noneMatch(line -> line.contains(token));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", "abc", "a.b", "a.b.c", "a.!.c", "a..c", "a.W10.c", "a.b.c.d.e", "eyJ.eyJ.x"})
  void whatIsNoTokenIsSaidToBeNoneAndNotShown(String text) {
    List<String> lines = lines(text);

    assertThat(lines.getFirst()).startsWith("FAIL").contains("not a signed JWT");
    assertThat(lines).hasSize(2);
    assertThat(text.length() < 3 || lines.stream().noneMatch(line -> line.contains(text))).isTrue();
  }

  @Test
  void severalFaultsAreToldAtOnce() {
    assertThat(lines(token("{}"))).filteredOn(line -> line.startsWith("FAIL")).hasSize(2);
  }
}
