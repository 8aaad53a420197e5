package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import javax.tools.ToolProvider;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the README shows works as it stands there.
class ReadmeTest {
  private static final Pattern JAVA = Pattern.compile("```java\\R(.*?)```", Pattern.DOTALL);
  private static final String CLASS_PATH = System.getProperty("java.class.path");

  @TempDir private Path directory;

  @Test
  void anApplicationStartsTheServiceWithItsOwnMutatorsInUnderTenLines() throws IOException {
    String program = program();
    assertThat(program.substring(program.indexOf("Application service")).lines().count())
        .isLessThan(10);
    compile(program);
    Map<String, String> environment =
        Map.of(
            "REPLISTREAM_HOST", "127.0.0.1",
            "REPLISTREAM_PORT", freePort(),
            "REPLISTREAM_ADMIN_PORT", freePort(),
            "REPLISTREAM_AUTH_SECRET", TestService.SECRET,
            "REPLISTREAM_DATA_DIR", directory.resolve("data").toString());

    Process shop = start(environment);
    try {
      Settings settings = Settings.load(Optional.empty(), environment);
      ServiceClient client =
          new ServiceClient(settings.port(), settings.adminPort(), settings, Clock.systemUTC());
      Eventually.holds("started", () -> shop.isAlive() && listens(settings.port()));
      assertThat(push(client, 1, "{\"id\":\"7\",\"price\":1.50}")).isEqualTo(200);
      assertThat(push(client, 2, "{\"id\":\"7\",\"price\":9}")).isEqualTo(200);

      String view = pull(client);

      assertThat(view)
          .contains("{\"op\":\"put\",\"key\":\"order/7\",\"value\":{\"id\":\"7\",\"price\":1.50}}")
          .contains("\"lastMutationIDChanges\":{\"c\":2}");
    } finally {
      shop.destroyForcibly();
    }
  }

  private static String program() throws IOException {
    Matcher java = JAVA.matcher(Files.readString(Path.of("README.md")));
    assertThat(java.find()).isTrue();
    return java.group(1);
  }

  private void compile(String program) throws IOException {
    Path source = directory.resolve("Shop.java");
    Files.writeString(source, program);
    int status =
        ToolProvider.getSystemJavaCompiler()
            .run(null, null, null, "-cp", CLASS_PATH, "-d", directory.toString(), "" + source);
    assertThat(status).isZero();
  }

  private Process start(Map<String, String> environment) throws IOException {
    ProcessBuilder builder =
        new ProcessBuilder(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                directory + ":" + CLASS_PATH,
                "Shop"));
    builder.environment().putAll(environment);
    return builder
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("log").toFile())
        .start();
  }

  private static String freePort() throws IOException {
    try (ServerSocket socket = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return Integer.toString(socket.getLocalPort());
    }
  }

  private static boolean listens(int port) {
    try {
      new HttpConnection(port).close();
      return true;
    } catch (RuntimeException _) {
      return false;
    }
  }

  private static int push(ServiceClient client, int id, String order) {
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
