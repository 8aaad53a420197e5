package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import dev.replistream.cli.EventStream.Arrival;
import dev.replistream.cli.EventStream.End;
import dev.replistream.cli.EventStream.Item;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// `serve` as a process: how it starts, refuses to start, and ends.
@Timeout(90)
final class ServeProcessTest {
  private static final Duration DRAIN = Duration.ofSeconds(1);
  private static final Duration GRACE = Duration.ofSeconds(2);
  private static final Duration SOON = Duration.ofSeconds(20);
  private static final String SECRET = "0123456789abcdef0123456789abcdef";

  @TempDir private Path dir;

  private final Map<String, String> environment = new HashMap<>();

  @BeforeEach
  void useFreePortsAndOwnFiles() {
    environment.put("REPLISTREAM_PORT", "0");
    environment.put("REPLISTREAM_ADMIN_PORT", "0");
    environment.put("REPLISTREAM_DATA_DIR", dir.resolve("data").toString());
    environment.put("REPLISTREAM_STREAM_DRAIN", DRAIN.toString());
  }

  private CommandProcess start(String... args) throws IOException {
    return CommandProcess.start(environment, List.of(), args);
  }

  private void assertRefused(String expected, String... args) throws Exception {
    try (CommandProcess serve = start(args)) {
      assertThat(serve.exitCode()).isEqualTo(2);
      assertThat(serve.err().toString())
          .startsWith("replistream: ")
          .contains(expected)
          .hasLineCount(1);
      assertThat(serve.out().toString()).isEmpty();
    }
  }

  @Test
  void withoutACommandItServesAndSaysHowToTryIt() throws Exception {
    try (CommandProcess serve = start()) {
      var _ = serve.out().await("in development mode");
      String page = serve.out().await("The console:").replaceFirst(".*?: +", "");
      String token = serve.out().await("TOKEN=").strip().substring("TOKEN=".length());
      String stream = serve.out().await("curl -N");
      String poke = serve.out().await("curl -X POST");

      String api = page + "api/v1/replicache";
      assertThat(page).matches("http://127\\.0\\.0\\.1:[1-9]\\d+/");
      assertThat(stream)
          .isEqualTo("  curl -N -H \"Authorization: Bearer $TOKEN\" " + api + "/stream");
      assertThat(poke)
          .isEqualTo("  curl -X POST -H \"Authorization: Bearer $TOKEN\" " + api + "/poke-user");
      assertThat(get(page)).isEqualTo(200);
      try (Api client = new Api(Api.base(page), () -> token, Clock.systemUTC())) {
        assertThat(client.post("/poke-user", Optional.empty()).json().get("userId"))
            .isEqualTo(JsonValue.of("demo"));
      }
    }
  }

  private static int get(String url) throws Exception {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(HttpRequest.newBuilder(URI.create(url)).build(), BodyHandlers.discarding())
          .statusCode();
    }
  }

  @Test
  void withASecretItSaysNothingOfDevelopmentAndPrintsNoToken() throws Exception {
    environment.put("REPLISTREAM_AUTH_SECRET", SECRET);
    environment.put("REPLISTREAM_HOST", "127.0.0.1");
    try (CommandProcess serve = start("serve")) {
      var _ = serve.out().await("event=start");
      serve.terminate();

      assertThat(serve.exitCode()).isZero();
      assertThat(serve.out().toString()).doesNotContain("development", "TOKEN", "eyJ", SECRET);
    }
  }

  @Test
  void theFileGivesSettingsAndTheEnvironmentOverridesThem() throws Exception {
    Path file = dir.resolve("replistream.yaml");
    Files.writeString(
        file, "replistream:\n  host: 127.0.0.1\n  port: 1\n  auth:\n    secret: " + SECRET + "\n");
    environment.put("REPLISTREAM_CONFIG", file.toString());
    try (CommandProcess serve = start()) {
      assertThat(serve.out().await("event=start")).contains("auth=secret").doesNotContain(SECRET);
    }
  }

  @Test
  void aSignalEndsTheStreamsWithARetryAndThenTheProcess() throws Exception {
    try (CommandProcess serve = start()) {
      String page = serve.out().await("The console:").replaceFirst(".*?: +", "");
      String token = serve.out().await("TOKEN=").strip().substring("TOKEN=".length());
      try (Api client = new Api(Api.base(page), () -> token, Clock.systemUTC());
          EventStream stream =
              new EventStream(((Api.Opened) client.openStream(Map.of())).body(), "")) {
        assertThat(((Arrival) next(stream)).event().data()).isEqualTo("connected");

        long signalled = System.nanoTime();
        serve.terminate();

        End end = (End) next(stream);
        assertThat(end.reason()).isEqualTo("the other side ended it");
        assertThat(end.reconnectionTime().orElseThrow())
            .isBetween(Duration.ofSeconds(2), Duration.ofSeconds(8));
        assertThat(serve.exitCode()).isZero();
        assertThat(Duration.ofNanos(System.nanoTime() - signalled)).isLessThan(DRAIN.plus(GRACE));
        assertThat(serve.out().toString())
            .contains("event=drain streams=1", "reason=drained", "event=stop");
        assertThat(serve.err().toString()).isEmpty();
      }
    }
  }

  @Test
  void inDevelopmentModeCtrlCEndsItAtOnceAndItCanStartAgain() throws Exception {
    environment.remove("REPLISTREAM_STREAM_DRAIN");
    try (CommandProcess serve = start()) {
      String page = serve.out().await("The console:").replaceFirst(".*?: +", "");
      String token = serve.out().await("TOKEN=").strip().substring("TOKEN=".length());
      assertRefused(
          "replistream.data-dir: another process uses the file %s: stop the service that runs on it"
              .formatted(dir.resolve("data/replistream.db")),
          "serve");
      try (Api client = new Api(Api.base(page), () -> token, Clock.systemUTC());
          EventStream stream =
              new EventStream(((Api.Opened) client.openStream(Map.of())).body(), "")) {
        assertThat(((Arrival) next(stream)).event().data()).isEqualTo("connected");

        long signalled = System.nanoTime();
        serve.interrupt();

        assertThat(serve.exitCode()).isZero();
        assertThat(Duration.ofNanos(System.nanoTime() - signalled)).isLessThan(GRACE);
        assertThat(((End) next(stream)).reconnectionTime()).isPresent();
        assertThat(serve.out().toString()).contains("event=drain streams=1", "event=stop");
      }
    }
    try (CommandProcess again = start()) {
      var _ = again.out().await("in development mode");
    }
  }

  private static Item next(EventStream stream) throws InterruptedException {
    return stream.next(SOON).orElseThrow();
  }

  @Test
  void aPortInUseIsOneLine() throws Exception {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      environment.put("REPLISTREAM_PORT", Integer.toString(taken.getLocalPort()));
      assertRefused("replistream.port: can't listen on 127.0.0.1:" + taken.getLocalPort(), "serve");
    }
  }

  @Test
  void anUnknownVariableIsOneLine() throws Exception {
    environment.put("REPLISTREAM_PROT", "8000");
    assertRefused("REPLISTREAM_PROT: no such setting", "serve");
  }

  @Test
  void anUnknownKeyOfTheFileIsOneLine() throws Exception {
    Path file = dir.resolve("replistream.yaml");
    Files.writeString(file, "replistream:\n  prot: 8000\n");
    assertRefused("replistream.prot: no such setting (in " + file, "--config", file.toString());
  }

  @Test
  void aFileThatIsNotThereIsOneLine() throws Exception {
    assertRefused(
        "--config: can't read the file /no/such/file", "serve", "--config", "/no/such/file");
  }

  @Test
  void aShortSecretIsOneLineWithoutIt() throws Exception {
    environment.put("REPLISTREAM_AUTH_SECRET", "tooshort");
    try (CommandProcess serve = start("serve")) {
      assertThat(serve.exitCode()).isEqualTo(2);
      assertThat(serve.err().toString())
          .contains("replistream.auth.secret: HS256 needs at least 32 bytes")
          .hasLineCount(1)
          .doesNotContain("tooshort");
    }
  }

  @Test
  void itNeedsNoTemporaryDirectory() throws Exception {
    for (String missing : List.of("/proc", dir.resolve("missing").toString())) {
      List<String> options = List.of("-Djava.io.tmpdir=" + missing);
      try (CommandProcess serve = CommandProcess.start(environment, options, "serve")) {
        var _ = serve.out().await("in development mode");

        assertThat(serve.err().toString()).doesNotContain("sqlite", "ERROR", "Exception");
      }
    }
  }

  @Test
  void aProcessThatIsKilledLeavesNoLibraryBehind() throws Exception {
    Path temporary = Files.createDirectory(dir.resolve("tmp"));
    List<String> options = List.of("-Djava.io.tmpdir=" + temporary, "-XX:-UsePerfData");
    Set<Object> libraries = new HashSet<>();
    for (int start = 0; start < 3; start++) {
      CommandProcess serve = CommandProcess.start(environment, options, "serve");
      var _ = serve.out().await("in development mode");
      serve.close(); // SIGKILL
      var _ = serve.exitCode();

      try (Stream<Path> left = Files.list(temporary);
          Stream<Path> kept = Files.list(dir.resolve("data/sqlite-native"))) {
        assertThat(left).isEmpty();
        for (Path library : kept.toList()) {
          libraries.add(Files.getAttribute(library, "unix:ino"));
        }
      }
    }
    assertThat(libraries).as("one file, written once").hasSize(1);
  }

  @Test
  void whereSqlitesLibraryCanStandNowhereIsOneLine() throws Exception {
    Files.createDirectory(dir.resolve("data"));
    Files.createFile(dir.resolve("data/sqlite-native"));
    List<String> noTemporaryFiles = List.of("-Djava.io.tmpdir=/proc");
    try (CommandProcess serve = CommandProcess.start(environment, noTemporaryFiles, "serve")) {
      assertThat(serve.exitCode()).isEqualTo(2);
      assertThat(serve.err().toString())
          .startsWith("replistream: replistream.data-dir: SQLite's library")
          .contains("data/sqlite-native", "java.io.tmpdir (/proc)")
          .hasLineCount(1);
      assertThat(serve.out().toString()).isEmpty();
    }
  }

  @Test
  void aDirectoryWhoseNameTheProcessCantReadIsOneLineAndNothingIsWrittenElsewhere()
      throws Exception {
    environment.remove("REPLISTREAM_DATA_DIR");
    assertRefusedWithoutLocale("replistream.data-dir: ");

    environment.put("REPLISTREAM_DATA_DIR", dir.resolve("data").toString());
    environment.put("REPLISTREAM_DB_URL", "jdbc:sqlite:own.db");
    assertRefusedWithoutLocale("replistream.db.url: ");

    try (Stream<Path> made = Files.list(dir)) {
      assertThat(made.map(path -> path.getFileName().toString()))
          .filteredOn(name -> !name.equals("data"))
          .as("the working directory alone")
          .hasSize(1);
    }
  }

  private void assertRefusedWithoutLocale(String expected) throws Exception {
    try (CommandProcess serve = CommandProcess.startWithoutLocale(dir, environment, "serve")) {
      assertThat(serve.exitCode()).isEqualTo(2);
      assertThat(serve.err().toString())
          .contains(expected, "start it with LC_ALL=C.UTF-8")
          .hasLineCount(1);
      assertThat(serve.out().toString()).isEmpty();
    }
  }

  @Test
  void aDamagedDevelopmentKeyIsOneLine() throws Exception {
    Files.createDirectories(dir.resolve("data"));
    Files.writeString(dir.resolve("data/development.key"), "not a key");
    assertRefused("development.key is damaged", "serve");
  }

  @Test
  void anAddressThatIsNotHereIsOneLine() throws Exception {
    environment.put("REPLISTREAM_AUTH_SECRET", SECRET);
    environment.put("REPLISTREAM_HOST", "192.0.2.1");
    assertRefused("can't listen on 192.0.2.1:0", "serve");
  }
}
