package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.auth.AuthSettings;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.StorageSettings;
import dev.replistream.db.DbSettings;
import dev.replistream.http.Network;
import dev.replistream.nodes.RedisUrl;
import dev.replistream.stream.StreamSettings;
import dev.replistream.sync.SyncSettings;
import dev.replistream.web.WebSettings;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.stream.Stream;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class SettingsTest {
  private static final String SECRET = "a secret of exactly 32 bytes, ok";

  @TempDir private Path directory;

  private static ServiceSettings load(String... pairs) {
    return ServiceSettings.load(Optional.empty(), environment(pairs));
  }

  private static Map<String, String> environment(String... pairs) {
    Map<String, String> environment = new HashMap<>();
    for (int i = 0; i < pairs.length; i += 2) {
      environment.put(pairs[i], pairs[i + 1]);
    }
    return environment;
  }

  private ServiceSettings loadFile(String yaml, String... environment) throws IOException {
    Path file = directory.resolve("settings.yaml");
    Files.writeString(file, yaml);
    return ServiceSettings.load(Optional.of(file), environment(environment));
  }

  private static AbstractThrowableAssert<?, ?> assertRefused(String... pairs) {
    return assertThatThrownBy(() -> load(pairs))
        .isInstanceOf(SettingsException.class)
        .hasMessageNotContaining("\n");
  }

  @Test
  void theDefaultsAreThese() {
    assertThat(ServiceSettings.defaultSettings())
        .isEqualTo(
            new ServiceSettings(
                "127.0.0.1",
                8000,
                "127.0.0.1",
                8001,
                Path.of("./data"),
                new AuthSettings(
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Optional.empty(),
                    Duration.ofSeconds(30),
                    Duration.ofMinutes(5),
                    Duration.ofSeconds(30),
                    Duration.ofDays(30)),
                new StreamSettings(
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(2),
                    Duration.ofSeconds(10),
                    Duration.ZERO,
                    100_000,
                    50),
                new ServiceSettings.Http(
                    Duration.ofSeconds(10),
                    Duration.ofSeconds(30),
                    Duration.ofSeconds(75),
                    65_536,
                    List.of(),
                    List.of()),
                new ServiceSettings.Limits(
                    256, OptionalLong.empty(), 1000, 1000, 100, 1000, 20, 10),
                new DbSettings(
                    "jdbc:sqlite:./data/replistream.db",
                    Optional.empty(),
                    Optional.empty(),
                    10,
                    "replistream.data-dir"),
                new SyncSettings(
                    16 << 20,
                    4 << 20,
                    1 << 20,
                    Duration.ofDays(30),
                    Duration.ofDays(90),
                    Duration.ofHours(1),
                    Set.of()),
                new ServiceSettings.Mutators(Optional.empty(), Optional.empty(), Optional.empty()),
                new RoomSettings(1_000, 10_000, 1_000, 100, 100, false),
                new StorageSettings(1L << 28, 1L << 30),
                Optional.empty(),
                Duration.ZERO,
                Duration.ofSeconds(5),
                List.of("*"),
                List.of(
                    "traceparent",
                    "tracestate",
                    "baggage",
                    "sentry-trace",
                    "b3",
                    "X-B3-TraceId",
                    "X-B3-SpanId",
                    "X-B3-ParentSpanId",
                    "X-B3-Sampled",
                    "X-B3-Flags",
                    "X-Datadog-Trace-Id",
                    "X-Datadog-Parent-Id",
                    "X-Datadog-Origin",
                    "X-Datadog-Sampling-Priority",
                    "X-Datadog-Tags",
                    "newrelic",
                    "Request-Id",
                    "Request-Context",
                    "X-Request-ID",
                    "X-Correlation-ID"),
                new WebSettings(
                    true,
                    List.of(
                        Path.of("./node_modules/replicache"),
                        Path.of("./src/test/js/node_modules/replicache"))),
                System.Logger.Level.DEBUG));
  }

  @Test
  void aServiceWithAKeyListensToTheWorldAndLogsLess() {
    ServiceSettings settings = load("REPLISTREAM_AUTH_SECRET", SECRET);

    assertThat(settings.host()).isEqualTo("0.0.0.0");
    assertThat(settings.logLevel()).isEqualTo(System.Logger.Level.INFO);
    assertThat(settings.auth().isDevelopmentMode()).isFalse();
    assertThat(settings.web().console()).isFalse();
    assertThat(settings.stream().drain()).isEqualTo(Duration.ofSeconds(10));
  }

  /// Every key, a value that is not its default, and what becomes of it.
  static Stream<Arguments> keys() {
    return Stream.of(
        key("host", "127.0.0.2", ServiceSettings::host, "127.0.0.2"),
        key("port", "18000", ServiceSettings::port, 18_000),
        key("admin-host", "127.0.0.3", ServiceSettings::adminHost, "127.0.0.3"),
        key(
            "http.hosts",
            "A.example., b,[::1],127.0.0.1",
            s -> s.http().hosts(),
            List.of("a.example", "b", "0:0:0:0:0:0:0:1", "127.0.0.1")),
        key(
            "http.trusted-proxies",
            "10.0.0.0/8",
            s -> s.http().trustedProxies(),
            List.of(Network.parse("10.0.0.0/8"))),
        key("limits.strangers-per-address", "7", s -> s.limits().strangersPerAddress(), 7),
        key("limits.storage-per-user", "0", s -> s.storage().perUser(), 0L),
        key("limits.storage-per-room", "5000000000", s -> s.storage().perRoom(), 5_000_000_000L),
        key(
            "limits.inflight-bytes",
            "2000000",
            s -> s.limits().inflightBytes(),
            OptionalLong.of(2_000_000)),
        key("cors.allow-headers", "X-A,X-B", ServiceSettings::allowHeaders, List.of("X-A", "X-B")),
        key("admin-port", "18001", ServiceSettings::adminPort, 18_001),
        key("data-dir", "/tmp/x", ServiceSettings::dataDir, Path.of("/tmp/x")),
        key("auth.secret", SECRET, s -> s.auth().secret(), Optional.of(SECRET)),
        key("auth.jwks", "keys.json", s -> s.auth().jwks(), Optional.of("keys.json")),
        key("auth.issuer", "https://i", s -> s.auth().issuer(), Optional.of("https://i")),
        key("auth.audience", "aud", s -> s.auth().audience(), Optional.of("aud")),
        key("auth.clock-skew", "PT0S", s -> s.auth().clockSkew(), Duration.ZERO),
        key(
            "auth.jwks-refresh-cool-down",
            "PT5S",
            s -> s.auth().jwksRefreshCoolDown(),
            Duration.ofSeconds(5)),
        key("auth.revocation-life", "P7D", s -> s.auth().revocationLife(), Duration.ofDays(7)),
        key("stream.ping-interval", "PT1S", s -> s.stream().pingInterval(), Duration.ofSeconds(1)),
        key("stream.retry", "PT3S", s -> s.stream().retry(), Duration.ofSeconds(3)),
        key("stream.write-timeout", "PT4S", s -> s.stream().writeTimeout(), Duration.ofSeconds(4)),
        key("stream.drain", "PT6S", s -> s.stream().drain(), Duration.ofSeconds(6)),
        key("stream.max-connections", "7", s -> s.stream().maxConnections(), 7),
        key("stream.max-connections-per-user", "8", s -> s.stream().maxConnectionsPerUser(), 8),
        key("http.head-timeout", "PT9S", s -> s.http().headTimeout(), Duration.ofSeconds(9)),
        key("http.body-timeout", "PT11S", s -> s.http().bodyTimeout(), Duration.ofSeconds(11)),
        key("http.idle-timeout", "PT12S", s -> s.http().idleTimeout(), Duration.ofSeconds(12)),
        key("http.max-body", "2048", s -> s.http().maxBodyBytes(), 2_048),
        key("db.url", "jdbc:sqlite:x.db", s -> s.db().url(), "jdbc:sqlite:x.db"),
        key("console", "false", s -> s.web().console(), false),
        key(
            "demo.replicache",
            "/tmp/r",
            s -> s.web().replicachePackages(),
            List.of(Path.of("/tmp/r"))),
        key("db.pool-size", "11", s -> s.db().poolSize(), 11),
        key("sync.max-body", "2048", s -> s.sync().maxBodyBytes(), 2_048),
        key("sync.max-args", "2048", s -> s.sync().maxArgsLength(), 2_048),
        key("sync.max-value", "99", s -> s.sync().maxValueBytes(), 99),
        key("sync.tombstone-max-age", "P1D", s -> s.sync().tombstoneMaxAge(), Duration.ofDays(1)),
        key("sync.client-max-age", "P2D", s -> s.sync().clientMaxAge(), Duration.ofDays(2)),
        key(
            "sync.compaction-interval",
            "PT3H",
            s -> s.sync().compactionInterval(),
            Duration.ofHours(3)),
        key("rooms.max-per-user", "12", s -> s.rooms().maxPerUser(), 12),
        key("rooms.max-members", "13", s -> s.rooms().maxMembers(), 13),
        key("journal.retention", "PT168H", ServiceSettings::journalRetention, Duration.ofDays(7)),
        key("presence.grace", "PT7S", ServiceSettings::presenceGrace, Duration.ofSeconds(7)),
        key(
            "cors.allow-origins",
            "https://a.b",
            ServiceSettings::allowOrigins,
            List.of("https://a.b")),
        key("log.level", "warning", ServiceSettings::logLevel, System.Logger.Level.WARNING));
  }

  private static Arguments key(
      String key, String value, Function<ServiceSettings, Object> accessor, Object expected) {
    return Arguments.of(key, value, accessor, expected);
  }

  private static String variable(String key) {
    return "REPLISTREAM_" + key.toUpperCase(Locale.ROOT).replaceAll("[.-]", "_");
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("keys")
  void aVariableOverridesTheDefault(
      String key, String value, Function<ServiceSettings, Object> accessor, Object expected) {
    assertThat(accessor.apply(load(variable(key), value))).isEqualTo(expected);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("keys")
  void aFileOverridesTheDefault(
      String key, String value, Function<ServiceSettings, Object> accessor, Object expected)
      throws IOException {
    ServiceSettings settings = loadFile("replistream." + key + ": \"" + value + "\"\n");

    assertThat(accessor.apply(settings)).isEqualTo(expected);
  }

  @Test
  void aVariableOverridesTheFile() throws IOException {
    String yaml =
        """
        replistream:
          port: 1111
          admin-port: 2222
          stream:
            retry: PT5S
        """;

    ServiceSettings settings = loadFile(yaml, "REPLISTREAM_ADMIN_PORT", "3333");

    assertThat(settings.port()).isEqualTo(1111);
    assertThat(settings.adminPort()).isEqualTo(3333);
    assertThat(settings.stream().retry()).isEqualTo(Duration.ofSeconds(5));
  }

  @Test
  void aListInAFileIsAsGoodAsOneWithCommas() throws IOException {
    String yaml =
        """
        replistream.cors.allow-origins:
          - https://a.example
          - http://localhost:5173
        """;

    assertThat(loadFile(yaml).allowOrigins())
        .containsExactlyInAnyOrder("https://a.example", "http://localhost:5173");
    assertThat(
            load("REPLISTREAM_CORS_ALLOW_ORIGINS", " https://a.example , http://b ").allowOrigins())
        .containsExactly("https://a.example", "http://b");
  }

  @ParameterizedTest
  @CsvSource({
    "https://App.example:443, https://app.example",
    "HTTPS://app.example:0443, https://app.example",
    "http://app.example:80, http://app.example",
    "http://app.example:443, http://app.example:443",
    "https://app.example:80, https://app.example:80",
    "https://[2001:DB8::1]:443, https://[2001:db8::1]",
    "https://xn--bcher-kva.example, https://xn--bcher-kva.example",
    "capacitor://localhost, capacitor://localhost",
  })
  void anOriginIsKeptAsBrowsersSendIt(String written, String sent) {
    assertThat(load("REPLISTREAM_CORS_ALLOW_ORIGINS", written + "," + sent).allowOrigins())
        .containsExactly(sent);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "app.example.com/rules",
        "ftp://app.example.com/",
        "http:///rules",
        "http://user:hidden@app.example.com/",
        "http://user@app.example.com/",
        "http://app.example.com/#hidden",
        "http://app.example.com:99999/",
        "http://app example.com/",
        "http:app.example.com",
        "whsec_hidden",
      })
  void aUrlOfRulesThatIsNoneStopsTheStartInOneLine(String url) {
    assertThatThrownBy(() ->
            load(
                "REPLISTREAM_MUTATORS_URL",
                url,
                "REPLISTREAM_MUTATORS_SECRET",
                "whsec_" + "A".repeat(32)))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith("replistream.mutators.url: an http or https URL")
        .hasMessageNotContaining("hidden")
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http://app_rules:9000/rules?key=1",
        "HTTPS://app.example.com",
        "http://[::1]:9000/",
        "http://127.0.0.1",
      })
  void aUrlOfRulesMayHaveAnyHost(String url) {
    assertThat(
            load(
                    "REPLISTREAM_MUTATORS_URL",
                    url,
                    "REPLISTREAM_MUTATORS_SECRET",
                    "whsec_" + "A".repeat(32))
                .mutators()
                .http())
        .hasValueSatisfying(http -> {
          assertThat(http.url()).hasToString(url);
          assertThat(http.timeout()).isEqualTo(Duration.ofSeconds(5));
          assertThat(http.toString()).doesNotContain("AAAA");
        });
  }

  @Test
  void rulesOverHttpNeedASecretAndASecretNeedsThem() {
    assertRefused("REPLISTREAM_MUTATORS_URL", "http://127.0.0.1:9000/")
        .hasMessageStartingWith("replistream.mutators.secret: with replistream.mutators.url");
    assertRefused("REPLISTREAM_MUTATORS_SECRET", "whsec_" + "A".repeat(32))
        .hasMessage(
            "replistream.mutators.secret: it is for replistream.mutators.url, which is not set");
    assertRefused("REPLISTREAM_MUTATORS_TIMEOUT", "PT2M")
        .hasMessageStartingWith("replistream.mutators.timeout: from PT0.01S to PT1M");
  }

  @Test
  void aShorterListReplacesALongerOne() throws IOException {
    String yaml = "replistream.cors.allow-origins: [https://a.example, https://b.example]\n";

    assertThat(loadFile(yaml, "REPLISTREAM_CORS_ALLOW_ORIGINS", "https://c.example").allowOrigins())
        .containsExactly("https://c.example");
  }

  @Test
  void anUnknownKeyInAFileIsNamedAndTheNearestWithIt() {
    assertThatThrownBy(() -> loadFile("replistream:\n  stream:\n    rety: PT1S\n"))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith("replistream.stream.rety: no such setting")
        .hasMessageContaining("stream.retry")
        .hasMessageContaining("settings.yaml")
        .hasMessageNotContaining("\n");
  }

  @Test
  void anUnknownVariableIsNamedAndTheNearestWithIt() {
    assertRefused("REPLISTREAM_STREAM_RETY", "PT1S")
        .hasMessageStartingWith("REPLISTREAM_STREAM_RETY: no such setting")
        .hasMessageEndingWith("did you mean REPLISTREAM_STREAM_RETRY?");
    assertRefused("REPLISTREAM_SECRET", SECRET)
        .hasMessageEndingWith("did you mean REPLISTREAM_AUTH_SECRET?")
        .hasMessageNotContaining(SECRET);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("keys")
  void anEmptyVariableIsNoValue(
      String key, String value, Function<ServiceSettings, Object> accessor, Object expected) {
    for (String empty : List.of("", " ", "\n")) {
      assertRefused(variable(key), empty)
          .hasMessageStartingWith("replistream." + key + ": ")
          .hasMessageContaining(variable(key));
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("keys")
  void lettersThatTheProcessCouldNotReadAreNoValue(
      String key, String value, Function<ServiceSettings, Object> accessor, Object expected) {
    assertRefused(variable(key), value + "\uFFFD\uFFFD")
        .hasMessageStartingWith("replistream." + key + ": ")
        .hasMessageContaining("LC_ALL=C.UTF-8")
        .hasMessageNotContaining("\uFFFD");
  }

  @ParameterizedTest
  @CsvSource({
    "REPLISTREAM_SERVICE_HOST, 10.0.0.1",
    "REPLISTREAM_SERVICE_PORT, 8000",
    "REPLISTREAM_SERVICE_PORT_HTTP, 8000",
    "REPLISTREAM_PORT, tcp://10.0.0.1:8000",
    "REPLISTREAM_PORT_8000_TCP, tcp://10.0.0.1:8000",
    "REPLISTREAM_PORT_8000_TCP_ADDR, 10.0.0.1",
    "REPLISTREAM_PORT_8000_TCP_PORT, 8000",
    "REPLISTREAM_PORT_8000_TCP_PROTO, tcp",
    "REPLISTREAM_ADMIN_SERVICE_HOST, 10.0.0.1",
    "REPLISTREAM_ADMIN_SERVICE_PORT_HTTP, 8001",
    "REPLISTREAM_ADMIN_PORT, tcp://10.0.0.1:8001",
    "REPLISTREAM_ADMIN_PORT_8001_TCP, tcp://10.0.0.1:8001",
    "REPLISTREAM_ADMIN_PORT_8001_TCP_ADDR, 10.0.0.1",
    "REPLISTREAM_DNS_PORT, udp://10.0.0.1:53",
    "REPLISTREAM, x",
    "PORT, 1",
    "HOST, x",
  })
  void whatOthersPutIntoTheEnvironmentIsIgnored(String variable, String value) {
    assertThat(load(variable, value)).isEqualTo(ServiceSettings.defaultSettings());
  }

  @ParameterizedTest
  @CsvSource({
    "console, yes",
    "console, TRUE",
    "port, x",
    "port, -1",
    "port, 65536",
    "port, 1.5",
    "port, ''",
    "admin-port, 99999",
    "data-dir, ''",
    "auth.clock-skew, 30",
    "auth.clock-skew, -PT1S",
    "auth.clock-skew, PT11M",
    "auth.jwks-refresh-cool-down, PT0S",
    "auth.revocation-life, PT7H59M",
    "auth.revocation-life, P36526D",
    "auth.revocation-life, 30",
    "stream.ping-interval, 30s",
    "stream.ping-interval, PT0S",
    "stream.ping-interval, PT2H",
    "stream.retry, PT0S",
    "stream.write-timeout, -PT1S",
    "stream.drain, P1D",
    "stream.max-connections, 0",
    "stream.max-connections, 99999999999",
    "stream.max-connections-per-user, 0",
    "http.head-timeout, PT0S",
    "http.body-timeout, x",
    "http.idle-timeout, x",
    "http.max-body, 1023",
    "http.max-body, 64 KiB",
    "http.hosts, https://app.example.com",
    "http.hosts, 'app.example.com:8000'",
    "http.hosts, 'a.example,'",
    "http.hosts, '*'",
    "http.hosts, '[a.example]'",
    "admin-host, ''",
    "http.trusted-proxies, 10.0.0.0/33",
    "http.trusted-proxies, '10.0.0.0/8,'",
    "http.trusted-proxies, proxy.example",
    "db.url, jdbc:mysql://localhost/x",
    "db.url, postgresql://localhost/x",
    "db.url, ./data/x.db",
    "db.user, alice",
    "db.password, secret",
    "db.pool-size, 0",
    "db.pool-size, 1001",
    "sync.max-body, 1023",
    "sync.max-value, 0",
    "sync.tombstone-max-age, 30 days",
    "sync.client-max-age, PT0S",
    "sync.compaction-interval, PT0S",
    "rooms.max-per-user, 0",
    "rooms.max-per-user, 2001",
    "rooms.max-members, 0",
    "rooms.max-members, 100001",
    "journal.retention, PT-1S",
    "journal.retention, PT87600H1S",
    "presence.grace, PT-1S",
    "presence.grace, PT10M1S",
    "cors.allow-origins, ''",
    "cors.allow-origins, app.example.com",
    "cors.allow-origins, https://app.example.com/",
    "cors.allow-origins, https://app.example.com/path",
    "cors.allow-origins, https://*.example.com",
    "cors.allow-origins, https://bücher.example",
    "cors.allow-origins, https://app.example.com:0",
    "cors.allow-origins, https://app.example.com:65536",
    "cors.allow-origins, https://app.example.com:",
    "cors.allow-origins, https://me@app.example.com",
    "cors.allow-origins, https://app.example.com?",
    "cors.allow-headers, 'X-A,'",
    "cors.allow-headers, X A",
    "cors.allow-headers, 'X-A: b'",
    "cors.allow-headers, X-Ä",
    "cors.allow-headers, '*'",
    "cors.allow-origins, 'https://a.example,'",
    "cors.allow-origins, 'null'",
    "log.level, LOUD",
  })
  void aBadValueIsNamed(String key, String value) {
    assertRefused(variable(key), value).hasMessageStartingWith("replistream." + key + ": ");
  }

  @Test
  void theDatabaseStandsInTheDataDirectoryUnlessItIsNamed() {
    assertThat(load("REPLISTREAM_DATA_DIR", "/data").db().url())
        .isEqualTo("jdbc:sqlite:/data/replistream.db");
    assertThat(
            load("REPLISTREAM_DATA_DIR", "/data", "REPLISTREAM_DB_URL", "jdbc:sqlite:x.db")
                .db()
                .url())
        .isEqualTo("jdbc:sqlite:x.db");
  }

  @Test
  void thePasswordOfTheDatabaseIsKeptAndNeverPrinted() throws IOException {
    String url = "jdbc:postgresql://h/d?password=" + SECRET;
    ServiceSettings settings =
        loadFile(
            """
            replistream.db:
              url: %s
              user: alice
              password: %s
            """
                .formatted(url, SECRET));

    assertThat(settings.db())
        .isEqualTo(new DbSettings(url, Optional.of("alice"), Optional.of(SECRET), 10));
    assertThat(settings.toString()).doesNotContain(SECRET);
    assertRefused("REPLISTREAM_DB_PASSWORD", SECRET).hasMessageNotContaining(SECRET);
    assertRefused("REPLISTREAM_DB_URL", "jdbc:mysql://h/d?password=" + SECRET)
        .hasMessageNotContaining(SECRET);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0.0.0.0", "192.168.0.1", "::", "no such host", "evil.invalid"})
  void withoutAKeyNoOtherMachineIsServed(String host) {
    assertRefused("REPLISTREAM_HOST", host)
        .hasMessageStartingWith("replistream.host: ")
        .hasMessageContaining("replistream.auth.secret");
  }

  @ParameterizedTest
  @ValueSource(strings = {"127.0.0.1", "127.1.2.3", "localhost", "::1"})
  void withoutAKeyThisMachineIsServed(String host) {
    assertThat(load("REPLISTREAM_HOST", host).host()).isEqualTo(host);
  }

  @ParameterizedTest
  @CsvSource({"[::1], ::1", "[::], ::", "[0:0:0:0:0:0:0:1], 0:0:0:0:0:0:0:1", "::1, ::1"})
  void anIpv6AddressMayStandInBrackets(String text, String host) {
    ServiceSettings settings = load("REPLISTREAM_AUTH_SECRET", SECRET, "REPLISTREAM_HOST", text);

    assertThat(settings.host()).isEqualTo(host);
    assertThat(load("REPLISTREAM_ADMIN_HOST", text).adminHost()).isEqualTo(host);
  }

  @Test
  void aSecretOfLessThan32BytesIsRefusedAndNotRepeated() {
    String secret = SECRET.substring(1);

    assertRefused("REPLISTREAM_AUTH_SECRET", secret)
        .hasMessageStartingWith("replistream.auth.secret: ")
        .hasMessageContaining("32 bytes")
        .hasMessageNotContaining(secret);
  }

  @Test
  void theBytesOfASecretCountNotItsCharacters() {
    String secret = "é".repeat(16);

    assertThat(load("REPLISTREAM_AUTH_SECRET", secret).auth().secret()).contains(secret);
  }

  @Test
  void onePortIsNotEnoughForBothListeners() {
    assertRefused("REPLISTREAM_ADMIN_PORT", "8000")
        .hasMessageStartingWith("replistream.admin-port: ")
        .hasMessageContaining("replistream.port");
  }

  @Test
  void aSecretAndKeysAreOneTooMany() {
    assertRefused("REPLISTREAM_AUTH_SECRET", SECRET, "REPLISTREAM_AUTH_JWKS", "keys.json")
        .hasMessageStartingWith("replistream.auth.jwks: ")
        .hasMessageNotContaining(SECRET);
  }

  @Test
  void theSecretIsNeverPrinted() {
    ServiceSettings settings = load("REPLISTREAM_AUTH_SECRET", SECRET);

    assertThat(settings.toString()).doesNotContain(SECRET);
    assertThat(settings.auth().toString()).doesNotContain(SECRET);
    try (LogCapture log = new LogCapture();
        TestService service = TestService.start()) {
      service.client().poke("alice");

      assertThat(log.lines("start")).hasSize(1);
      assertThat(log.lines().toString()).doesNotContain(TestService.SECRET);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "replistream:\n", "# nothing\n", "{}", "---\n"})
  void aFileThatSaysNothingChangesNothing(String yaml) throws IOException {
    assertThat(loadFile(yaml)).isEqualTo(ServiceSettings.defaultSettings());
  }

  @Test
  void aFileThatIsNotThereIsNamed() {
    Path missing = directory.resolve("missing.yaml");

    assertThatThrownBy(() -> ServiceSettings.load(Optional.of(missing), Map.of()))
        .isInstanceOf(SettingsException.class)
        .hasMessage("--config: can't read the file " + missing);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"replistream: [", "\tx", "replistream:\n  port: 1\n port: 2\n", "- a\nb: c"})
  void aFileThatIsNoYamlIsNamed(String yaml) {
    assertThatThrownBy(() -> loadFile(yaml))
        .isInstanceOf(SettingsException.class)
        .hasMessageContaining("settings.yaml")
        .hasMessageNotContaining("\n");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "replistream: 1\n",
        "replistream: [port]\n",
        "replistream:\n  stream: 5\n",
        "replistream:\n  port: [1, 2]\n",
        "replistream:\n  port:\n    x: 1\n"
      })
  void aFileOfAnotherShapeIsRefusedByName(String yaml) {
    assertThatThrownBy(() -> loadFile(yaml))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith("replistream");
  }

  @Test
  void redisIsForNodesThatShareAPostgres() {
    String[] postgres = {"REPLISTREAM_DB_URL", "jdbc:postgresql://db/replistream"};
    String[] redis = {"REPLISTREAM_REDIS_URL", "redis://app:s3cret@cache:6380/2"};

    ServiceSettings settings =
        load(Stream.of(postgres, redis).flatMap(Stream::of).toArray(String[]::new));

    assertThat(settings.redis().orElseThrow().url().hosts())
        .containsExactly(new RedisUrl.Host("cache", 6380));
    assertThat(settings.redis().orElseThrow().prefix()).isEqualTo("replistream");
    assertThat(settings.toString()).doesNotContain("s3cret");
    assertRefused(redis).hasMessageStartingWith("replistream.redis.url: it is for several nodes");
    assertRefused("REPLISTREAM_REDIS_URL", "http://s3cret@cache")
        .hasMessageStartingWith("replistream.redis.url: a URL such as redis://")
        .hasMessageNotContaining("s3cret");
    assertRefused("REPLISTREAM_REDIS_PREFIX", "a{b}")
        .hasMessageStartingWith("replistream.redis.prefix: ");
  }
}
