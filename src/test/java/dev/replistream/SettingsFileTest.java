package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// What may stand in a file of settings, and that nothing in it is passed over.
class SettingsFileTest {
  private static final String SECRET = "a secret of exactly 32 bytes, ok";

  @TempDir private Path directory;

  private ServiceSettings load(String name, byte[] content) throws IOException {
    Path file = directory.resolve(name);
    Files.write(file, content);
    return ServiceSettings.load(Optional.of(file), Map.of());
  }

  private ServiceSettings load(String yaml) throws IOException {
    return load("settings", yaml.getBytes(StandardCharsets.UTF_8));
  }

  private AbstractThrowableAssert<?, ?> assertRefused(String yaml) {
    return assertThatThrownBy(() -> load(yaml))
        .isInstanceOf(SettingsException.class)
        .hasMessageNotContaining("\n")
        .hasMessageNotContaining(SECRET);
  }

  @ParameterizedTest
  @CsvSource({
    "'auth: {secret: S}', auth.secret: no such setting, replistream.auth.secret",
    "'replistraem: {auth: {secret: S}}', replistraem.auth.secret: no such setting, replistream.auth.secret",
    "'Replistream: {port: 1}', Replistream.port: no such setting, replistream.port",
    "'port: 1', port: no such setting, replistream.port",
    "'replistream.prot: 1', replistream.prot: no such setting, replistream.port",
    "'replistream: {secret: S}', replistream.secret: no such setting, replistream.auth.secret",
    "'replistream: {auth: {ping-interval: PT1S}}', replistream.auth.ping-interval: no such setting, replistream.stream.ping-interval",
    "'replistream: {stream: {pingInterval: PT1S}}', replistream.stream.pingInterval: no such setting, replistream.stream.ping-interval",
    "'replistream: {auth: {secret: S}, authn: {}}', replistream.authn: no such setting, replistream.",
    "'replistream: {port: 1, prot: }', replistream.prot: no such setting, replistream.port",
    "'{replistream: {port: 1}, lists: [a, b]}', lists: no such setting, 'settings stand below replistream:, such as replistream.port'",
    "'spring: {application: {name: x}}', spring.application.name: no such setting, 'settings stand below replistream:, such as replistream.port'",
    "'x: ', x: no such setting, 'settings stand below replistream:, such as replistream.port'",
    "'replistream: {quadrilaterals: [a, b]}', replistream.quadrilaterals: no such setting, known are",
  })
  void whatIsNoSettingIsNamedWithTheNearest(String yaml, String begin, String nearest) {
    assertRefused(yaml.replace("S}", "\"" + SECRET + "\"}"))
        .hasMessageStartingWith(begin)
        .hasMessageContaining("line 1")
        .hasMessageContaining(nearest);
  }

  @ParameterizedTest
  @CsvSource({
    "'replistream: {auth: {secret: }}', replistream.auth.secret",
    "'replistream: {auth: {secret: \"\"}}', replistream.auth.secret",
    "'replistream: {auth: {secret: \"  \"}}', replistream.auth.secret",
    "'replistream: {auth: {secret: null}}', replistream.auth.secret",
    "'replistream: {auth: {secret: ~}}', replistream.auth.secret",
    "'replistream.auth.jwks: ', replistream.auth.jwks",
    "'replistream: {auth: }', replistream.auth",
    "'replistream: {auth: {}}', replistream.auth",
    "'replistream: {cors: {allow-origins: []}}', replistream.cors.allow-origins",
    "'replistream: {cors: {allow-origins: [\"\"]}}', replistream.cors.allow-origins",
  })
  void whatIsEmptyIsNamed(String yaml, String key) {
    assertRefused(yaml).hasMessageStartingWith(key + ": ").hasMessageContaining("leave it out");
  }

  @ParameterizedTest
  @CsvSource({
    "'replistream: {stream: PT5S}', replistream.stream: this is no setting",
    "'replistream: 8000', replistream: this is no setting",
    "'replistream: [port]', replistream: this is no setting",
    "'replistream: {port: [1, 2]}', replistream.port: one value is meant",
    "'replistream: {port: {number: 1}}', replistream.port: a value is meant",
    "'replistream: {cors: {allow-origins: {a: b}}}', replistream.cors.allow-origins: a value",
    "'replistream: {cors: {allow-origins: [{a: b}]}}', replistream.cors.allow-origins: a list",
    "'replistream: {port: 1, port: 2}', 'replistream.port: it stands there twice'",
    "'{replistream.port: 1, replistream: {port: 2}}', 'replistream.port: it stands there twice'",
    "'replistream: {port: !env PORT}', replistream.port: a ! before a value makes a tag of it",
    "'replistream: !x {port: 1}', replistream: a ! before a value",
    "'!x {replistream: {port: 1}}', replistream: a ! before a value",
    "'replistream: {cors: {allow-origins: !x [a]}}', replistream.cors.allow-origins: a ! before",
    "'replistream: {? [a] : 1}', replistream: no name of a setting",
    "'replistream: &a {stream: *a}', replistream.stream.stream",
    "'port', --config: in ",
    "'[1, 2]', --config: in ",
  })
  void whatHasAnotherShapeIsNamed(String yaml, String begin) {
    assertRefused(yaml).hasMessageStartingWith(begin);
  }

  @Test
  void lettersThatWereLostAreNoValue() {
    assertRefused("replistream.auth.secret: a secret of \uFFFD\uFFFD and then 32 letters\n")
        .hasMessageStartingWith("replistream.auth.secret: it has a character U+FFFD");
  }

  @ParameterizedTest
  @ValueSource(strings = {"x.yaml", "x.yml", "x.conf", "x.json", "x.properties", "x", "x.txt"})
  void aFileIsReadByItsContent(String name) throws IOException {
    ServiceSettings settings =
        load(name, "replistream:\n  port: 1\n".getBytes(StandardCharsets.UTF_8));

    assertThat(settings.port()).isEqualTo(1);
  }

  @Test
  void jsonIsYamlAlsoWithTabsAndAMark() throws IOException {
    String json =
        """
        \uFEFF{
        \t"replistream":{
        \t\t"port":1, "stream.retry":"PT3S", "data-dir": "\\/tmp\\/\\u00e9\\ud83d\\ude00",
        \t\t"cors":{"allow-origins":[
        \t\t\t"https://a.example",
        \t\t\t"https://b.example"
        \t\t]}
        \t}
        }
        """;

    ServiceSettings settings = load(json);

    assertThat(settings.port()).isEqualTo(1);
    assertThat(settings.stream().retry()).isEqualTo(Duration.ofSeconds(3));
    assertThat(settings.dataDir()).isEqualTo(Path.of("/tmp/é😀"));
    assertThat(settings.allowOrigins())
        .isEqualTo(List.of("https://a.example", "https://b.example"));
  }

  @Test
  void aValueIsTheTextThatStandsThere() throws IOException {
    ServiceSettings settings =
        load(
            """
            replistream:
              auth: {secret: 00123456789012345678901234567890, issuer: 2001-12-14, audience: 0x1F}
              db: {url: "jdbc:postgresql://h/d", user: yes, password: 0123}
            """);

    assertThat(settings.auth().secret()).contains("00123456789012345678901234567890");
    assertThat(settings.auth().issuer()).contains("2001-12-14");
    assertThat(settings.auth().audience()).contains("0x1F");
    assertThat(settings.db().user()).contains("yes");
    assertThat(settings.db().password()).contains("0123");
  }

  @ParameterizedTest
  @CsvSource({
    "'replistream:\n  port: 1\n bad', 3, 2",
    "'replistream:\n\tport: 1', 2, 1",
    "'replistream:\n  auth:\n    secret: *SECRET', 3, 13",
    "'replistream:\n  auth:\n    secret: @SECRET', 3, 13",
    "'{\"replistream\": {\"port\": 1}', 1, 28",
    "'replistream:\n  port: 1\u0007', 2, 10",
  })
  void whatIsNoYamlIsNamedByLineAndColumn(String yaml, int line, int column) {
    assertRefused(yaml.replace("SECRET", SECRET.replace(' ', '-')))
        .hasMessageStartingWith("--config: " + directory.resolve("settings"))
        .hasMessageContaining("is not valid YAML at line " + line + ", column " + column)
        .hasMessageNotContaining("a-secret");
  }

  @Test
  void ofTwoDocumentsNoneIsPassedOver() throws IOException {
    assertRefused("replistream.port: 1\n---\nreplistream.port: 2")
        .hasMessage(
            "--config: %s holds more than one document; settings stand in one: take out the --- in line 2",
            directory.resolve("settings"));

    assertThat(load("---\nreplistream.port: 1\n...\n").port()).isEqualTo(1);
  }

  @Test
  void aSecretThatLooksLikeATagIsNotShownAndIsTakenInQuotes() throws IOException {
    String secret = "!secrets-of-32-letters-and-more-than-that";

    assertRefused("replistream.auth.secret: " + secret)
        .hasMessageStartingWith("replistream.auth.secret: ")
        .hasMessageContaining("put a value that begins with ! in quotes")
        .hasMessageNotContaining("secrets-of");

    assertThat(load("replistream.auth.secret: '" + secret + "'").auth().secret()).contains(secret);
  }

  @Test
  void whatIsNoFileOfTextIsOneLine() throws IOException {
    assertThatThrownBy(
            () -> load("latin", "replistream.auth.secret: é".getBytes(StandardCharsets.ISO_8859_1)))
        .isInstanceOf(SettingsException.class)
        .hasMessageEndingWith("latin is not in UTF-8");
    assertThatThrownBy(() -> load("large", new byte[(1 << 20) + 1]))
        .isInstanceOf(SettingsException.class)
        .hasMessageEndingWith("large is larger than 1 MiB");
    assertThatThrownBy(() -> ServiceSettings.load(Optional.of(directory), Map.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith("--config: can't read the file ");
  }
}
