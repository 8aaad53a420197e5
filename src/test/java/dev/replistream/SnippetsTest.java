package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.tuple;

import dev.replistream.Page.Block;
import dev.replistream.api.InMemoryStore;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValueException;
import dev.replistream.api.Member;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// What the documentation shows works as it stands there. The language of a block says how it is
/// tried:
///
/// - `sh` and `python` run as a session ({@link PageShell}), and so do `javascript` and `java` with
///   `session`; a `json` or `text` below them is what they print; `sh stopped` runs when the
///   service has stopped;
/// - `sh build`, and what is indented, needs what a test does not have, such as Docker, or is what
///   runs this test; what it names is there;
/// - `yaml` is a configuration that the service takes; `ini` a unit of systemd; `nginx` goes into a
///   real nginx;
/// - `java` compiles, and what has a `main` runs;
/// - `redis` is tried by `RedisPokeBusAsUserTest`, `js` and `jsx` by `snippets.test.mjs`, which see
///   to it that they miss none;
/// - other `javascript`, and `python` with `rules`, are whole programs, which `RulesPageTest`
///   tries.
class SnippetsTest {
  private static final Set<String> LANGUAGES =
      Set.of(
          "",
          "sh",
          "python",
          "json",
          "text",
          "yaml",
          "ini",
          "nginx",
          "java",
          "redis",
          "js",
          "jsx",
          "javascript");
  private static final Set<String> TAGS_OF_SH = Set.of("", "build", "stopped");
  private static final Set<String> TOOLS =
      Set.of("docker", "git", "java", "mvn", "node", "npm", "python3");
  private static final String CLASS_PATH = System.getProperty("java.class.path");
  private static final Pattern CLASS = Pattern.compile("public (?:final )?class (\\w+)");

  @TempDir private Path directory;

  private static List<Page> all() {
    return Page.all();
  }

  @ParameterizedTest
  @MethodSource("all")
  void eachBlockIsOfALanguageThatIsTried(Page page) {
    for (Block block : page.blocks()) {
      assertThat(block.language()).as(block.text()).isIn(LANGUAGES);
      if (block.language().equals("sh")) {
        assertThat(block.tag()).isIn(TAGS_OF_SH);
      }
    }
  }

  private static Stream<Page> pagesWithASession() {
    return all().stream()
        .filter(page ->
            page.blocks().stream()
                .anyMatch(block ->
                    PageShell.isProgram(block)
                        || (block.language().equals("sh") && !block.tag().equals("build"))));
  }

  /// Bob is connected to each service, for whoever pokes him.
  @ParameterizedTest
  @MethodSource("pagesWithASession")
  void whatAPageTellsToTypeDoesWhatItSays(Page page) throws IOException, InterruptedException {
    Path data = directory.resolve("data");
    if (page.text().contains("ca.pem")) {
      makeCertificate(directory.resolve("ca.pem"));
    }
    ServiceSettings settings = TestService.allSettings("DATA_DIR", data.toString());
    PageShell shell;
    try (TestService service =
            TestService.start("DATA_DIR", data.toString(), "JOURNAL_RETENTION", "P1D");
        StreamClient bob = service.client().connected("bob")) {
      shell = new PageShell(directory, settings, service.client());
      shell.run(page, "");
      if (page.blocks().stream().noneMatch(PageShell::isProgram)) {
        assertThatCode(() -> Settings.load(Optional.empty(), shell.settings()))
            .doesNotThrowAnyException();
      } else {
        bob.expect("sync");
      }
    }
    shell.run(page, "stopped");
  }

  private void makeCertificate(Path file) throws IOException, InterruptedException {
    Path store = directory.resolve("ca.p12");
    TestCertificate.make(store, "changeit", "ca", "ca");
    run(
        "keytool",
        "-exportcert",
        "-rfc",
        "-alias",
        "ca",
        "-keystore",
        store.toString(),
        "-storepass",
        "changeit",
        "-file",
        file.toString());
  }

  private void run(String program, String... arguments) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    Path ofJava = Path.of(System.getProperty("java.home"), "bin", program);
    command.add(Files.exists(ofJava) ? ofJava.toString() : program);
    command.addAll(List.of(arguments));
    Process process =
        new ProcessBuilder(command).directory(directory.toFile()).redirectErrorStream(true).start();
    String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).as("%s: %s", command, said).isZero();
  }

  @ParameterizedTest
  @MethodSource("all")
  void whatACommandNeedsOfTheSourceTreeIsThere(Page page) throws IOException {
    for (Block block : page.blocks()) {
      if (block.language().isEmpty() || block.tag().equals("build")) {
        for (String line : block.text().strip().split("\n")) {
          assertIsThere(line.split(" # ", 2)[0].strip());
        }
      }
    }
  }

  private static void assertIsThere(String command) throws IOException {
    String[] words = command.replaceAll("^(\\w+=(\\$\\(.*?\\)|\\S*) )+", "").split(" +");
    if (words[0].startsWith("target/image/")) {
      assertThat(Files.readString(Path.of("etc/image")))
          .contains(words[0].replace("target/image", "$image"));
    } else if (words[0].contains("/")) {
      assertThat(Path.of(words[0])).isExecutable();
    } else {
      assertThat(words[0]).isIn(TOOLS);
    }
    for (String word : words) {
      if (word.startsWith("-Dtest=")) {
        assertThat(sourcesOfTests()).contains(word.substring("-Dtest=".length()) + ".java");
      } else if (word.startsWith("replicache@")) {
        assertThat(Files.readString(Path.of("src/test/js/package.json")))
            .contains("\"replicache\": \"%s\"".formatted(word.split("@", 2)[1]));
      } else if (word.matches("(etc|src)/\\S+")) {
        assertThat(Path.of(word)).exists();
      }
    }
  }

  private static List<String> sourcesOfTests() throws IOException {
    try (Stream<Path> files = Files.walk(Path.of("src/test/java"))) {
      return files.map(file -> file.getFileName().toString()).toList();
    }
  }

  @TestFactory
  Stream<DynamicTest> eachConfigurationIsTaken() {
    return all().stream()
        .flatMap(page ->
            page.blocks("yaml").stream()
                .map(text ->
                    DynamicTest.dynamicTest(
                        page.path() + ": " + text,
                        () -> {
                          Path file = Files.createTempFile(directory, "settings", ".yaml");
                          Files.writeString(file, text);
                          assertThatCode(() -> Settings.load(Optional.of(file), Map.of()))
                              .doesNotThrowAnyException();
                        })));
  }

  @Test
  void systemdTakesTheUnit() throws IOException, InterruptedException {
    List<String> units = all().stream().flatMap(page -> page.blocks("ini").stream()).toList();
    assertThat(units).isNotEmpty();
    for (String unit : units) {
      Files.writeString(
          directory.resolve("replistream.service"),
          unit.replace("/opt/replistream/bin/replistream", "/bin/true"));
      run("systemd-analyze", "verify", "./replistream.service");
    }
  }

  /// The doctor, pushes of any size and WebSockets get through it.
  @Test
  void nginxPassesStreamsAndWebSocketsOn() throws IOException, InterruptedException {
    String locations =
        String.join("\n", all().stream().flatMap(page -> page.blocks("nginx").stream()).toList());
    ServiceSettings settings = TestService.allSettings();
    try (TestService service = TestService.start()) {
      try (TestNginx nginx = TestNginx.start(directory, locations, service.client().port())) {
        ServiceClient behind =
            new ServiceClient(
                nginx.port(), service.client().adminPort(), settings, Clock.systemUTC());
        try (WebSocketClient alice = behind.connectedWebSocket("alice");
            StreamClient stream = behind.connected("bob")) {
          behind.poke("alice");
          alice.expect("sync");
          behind.poke("bob");
          stream.expect("sync");
        }
        assertThat(behind.send(push(behind, 3)).status()).isEqualTo(200);
      }
    }
  }

  /// A push of some megabytes.
  private static HttpRequest push(ServiceClient client, int mutations) {
    String value = "v".repeat(1 << 19);
    return request(client, "/push")
        .with(
            IntStream.rangeClosed(1, mutations)
                .mapToObj(id ->
                    """
                    {"id":%d,"name":"put","args":{"key":"a","value":"%s"},"timestamp":1,"clientID":"c"}\
                    """
                        .formatted(id, value))
                .collect(
                    Collectors.joining(
                        ",",
                        "{\"profileID\":\"p\",\"clientGroupID\":\"g\",\"pushVersion\":1,\"schemaVersion\":\"\",\"mutations\":[",
                        "]}")));
  }

  @Test
  void anApplicationStartsTheServiceWithItsOwnMutatorsInUnderTenLines() throws Exception {
    Map<String, String> programs = compile(Page.of("docs/mutators.md"));
    String shop = programs.getOrDefault("Shop", "");
    assertThat(shop.substring(shop.indexOf("Application service")).lines().count()).isLessThan(10);
    Map<String, String> environment =
        Map.of(
            "REPLISTREAM_HOST", "127.0.0.1",
            "REPLISTREAM_PORT", TestNginx.freePort(),
            "REPLISTREAM_ADMIN_PORT", TestNginx.freePort(),
            "REPLISTREAM_AUTH_SECRET", TestService.SECRET,
            "REPLISTREAM_DATA_DIR", directory.resolve("data").toString());

    Process process = java("Shop", environment);
    try {
      ServiceSettings settings = ServiceSettings.load(Optional.empty(), environment);
      ServiceClient client =
          new ServiceClient(settings.port(), settings.adminPort(), settings, Clock.systemUTC());
      Eventually.holds("started", () -> process.isAlive() && listens(settings.port()));
      assertThat(order(client, 1, "{\"id\":\"7\",\"price\":1.50}")).isEqualTo(200);
      assertThat(order(client, 2, "{\"id\":\"7\",\"price\":9}")).isEqualTo(200);

      String view = pull(client);

      assertThat(view)
          .contains("{\"op\":\"put\",\"key\":\"order/7\",\"value\":{\"id\":\"7\",\"price\":1.50}}")
          .contains("\"lastMutationIDChanges\":{\"c\":2}");
    } finally {
      process.destroyForcibly();
    }
  }

  @Test
  void mutatorsOfAJarAreTriedWithoutAServer() throws Exception {
    assertThat(compile(Page.of("docs/mutators.md"))).containsKey("ShopMutators");

    Process check = java("ShopMutatorsCheck", Map.of());

    assertThat(check.waitFor(60, TimeUnit.SECONDS)).isTrue();
    assertThat(check.exitValue()).as(Files.readString(directory.resolve("log"))).isZero();
  }

  @Test
  void theRuleThatLetsInByAWordLetsInNobodyElse() throws Exception {
    compile(Page.of("docs/mutators.md"));
    InMemoryStore store = new InMemoryStore();
    store.run(
        "alice",
        transaction -> {
          transaction.createRoom("open");
          transaction.put("open", "word", JsonValue.of("friend"));
          transaction.createRoom("without");
        });

    try (URLClassLoader programs = new URLClassLoader(new URL[] {directory.toUri().toURL()})) {
      Mutators door =
          (Mutators) programs.loadClass("DoorMutators").getDeclaredConstructor().newInstance();
      Mutator knock = Objects.requireNonNull(door.mutators().get("knock"));
      for (String args :
          List.of(
              "{\"room\":\"without\",\"word\":null}",
              "{\"room\":\"without\"}",
              "{\"room\":\"open\",\"word\":\"foe\"}")) {
        assertThatThrownBy(() -> store.run("eve", knock, JsonValue.parse(args)))
            .isInstanceOfAny(RejectedException.class, JsonValueException.class);
      }
      JsonValue friend = JsonValue.parse("{\"room\":\"open\",\"word\":\"friend\"}");
      store.run("bob", knock, friend);
      store.run("alice", knock, friend);
    }

    store.run(
        "alice",
        transaction -> {
          assertThat(transaction.members("open"))
              .extracting(Member::userId, Member::role)
              .containsExactly(tuple("alice", Role.OWNER), tuple("bob", Role.WRITER));
          assertThat(transaction.members("without")).hasSize(1);
        });
  }

  @ParameterizedTest
  @MethodSource("all")
  void javaCompiles(Page page) throws IOException {
    compile(page);
  }

  private Map<String, String> compile(Page page) throws IOException {
    Map<String, String> programs = new TreeMap<>();
    for (String program : page.blocks("java")) {
      Matcher name = CLASS.matcher(program);
      assertThat(name.find()).as(program).isTrue();
      programs.put(name.group(1), program);
      Files.writeString(directory.resolve(name.group(1) + ".java"), program);
    }
    List<String> arguments =
        new ArrayList<>(List.of("-cp", CLASS_PATH, "-d", directory.toString()));
    programs.keySet().forEach(name -> arguments.add(directory.resolve(name + ".java").toString()));
    if (!programs.isEmpty()) {
      int status =
          ToolProvider.getSystemJavaCompiler()
              .run(null, null, null, arguments.toArray(String[]::new));
      assertThat(status).isZero();
    }
    return programs;
  }

  private Process java(String program, Map<String, String> environment) throws IOException {
    List<String> command = new ArrayList<>(QuickStart.java());
    command.addAll(List.of("-cp", QuickStart.classPath() + ":" + directory, program));
    ProcessBuilder builder = new ProcessBuilder(command);
    builder.environment().putAll(environment);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("log").toFile())
        .start();
  }

  private static boolean listens(int port) {
    try {
      new HttpConnection(port).close();
      return true;
    } catch (RuntimeException _) {
      return false;
    }
  }

  private static int order(ServiceClient client, int id, String order) {
    return client
        .send(
            request(client, "/push")
                .with(
                    """
                    {"profileID":"p","clientGroupID":"g","pushVersion":1,"schemaVersion":"","mutations":[
                    {"id":%d,"name":"order","args":%s,"timestamp":1,"clientID":"c"}]}\
                    """
                        .formatted(id, order)))
        .status();
  }

  private static String pull(ServiceClient client) {
    return client
        .send(
            request(client, "/pull")
                .with(
                    """
                    {"profileID":"p","clientGroupID":"g","cookie":null,"pullVersion":1,"schemaVersion":""}\
                    """))
        .body();
  }

  private static HttpRequest request(ServiceClient client, String route) {
    return HttpRequest.api("POST", route)
        .by(client.token("alice"))
        .with("Content-Type", "application/json");
  }
}
