package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import dev.replistream.auth.Caller;
import dev.replistream.sync.Replica;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// The applications that `docs/http-rules.md` shows decide about real pushes, as they stand there.
class RulesPageTest {
  private static final Page PAGE = Page.of("docs/http-rules.md");
  private static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  @TempDir private Path directory;

  @Test
  void eachProgramOfAPageIsTried() {
    assertThat(
            Page.all().stream()
                .flatMap(page -> page.blocks().stream())
                .filter(block ->
                    !PageShell.isProgram(block)
                        && List.of("javascript", "python").contains(block.language())))
        .hasSize(2)
        .allMatch(block -> PAGE.blocks().contains(block));
  }

  @ParameterizedTest
  @CsvSource({"python, python3, rules.py", "javascript, node, rules.mjs"})
  void theProgramOfThePageDecidesAboutPushes(String language, String program, String file)
      throws IOException, InterruptedException {
    Files.writeString(directory.resolve(file), PAGE.blocks(language).getFirst());
    String port = TestNginx.freePort();
    try (TestService service =
        TestService.start(
            "MUTATORS_URL",
            "http://127.0.0.1:" + port + "/rules",
            "MUTATORS_SECRET",
            SECRET,
            "MUTATORS_BUILT_IN",
            "false")) {
      Process application =
          start(
              List.of(program, file),
              Map.of(
                  "PORT",
                  port,
                  "MUTATORS_SECRET",
                  SECRET,
                  "API",
                  "http://127.0.0.1:" + service.client().port() + Application.API,
                  "BACKEND",
                  service.client().token("backend", Caller.READ_SCOPE)));
      try {
        String url = "http://127.0.0.1:" + port + "/rules";
        Eventually.holds("listens", () -> application.isAlive() && status(url) == 401);
        decides(service.client());
      } finally {
        application.descendants().forEach(ProcessHandle::destroyForcibly);
        application.destroyForcibly().waitFor();
      }
    }
  }

  /// Someone without the secret is answered nothing.
  private static int status(String url) {
    try (HttpClient client = HttpClient.newHttpClient()) {
      return client
          .send(
              java.net.http.HttpRequest.newBuilder(URI.create(url))
                  .header("webhook-id", "msg_1")
                  .header("webhook-timestamp", "" + System.currentTimeMillis() / 1000)
                  .header("webhook-signature", "v1,AAAA v1,ä")
                  .POST(java.net.http.HttpRequest.BodyPublishers.ofString("{\"mutations\":[]}"))
                  .build(),
              BodyHandlers.discarding())
          .statusCode();
    } catch (IOException _) {
      return 0;
    } catch (InterruptedException e) {
      throw new IllegalStateException(e);
    }
  }

  private static void decides(ServiceClient client) {
    Replica alice = Replica.of(client, "alice/ü");
    alice.push(
        alice.mutation("addTodo", json("{'id':'1','text':'milk'}")),
        alice.mutation("addTodo", json("{'id':'2','text':' '}")),
        alice.mutation("finishTodo", json("{'id':'1'}")), // which sees the first one
        alice.mutation("finishTodo", json("{'id':'1'}")),
        alice.mutation("addTodo", json("null")),
        alice.mutation("put", json("{'key':'todo/3','value':1}")),
        alice.mutation("toString", json("[]")),
        alice.mutation("addTodo", json("{'id':'4','text':'tea'}")));
    alice.pull();

    assertThat(alice.acknowledged()).isEqualTo(8);
    assertThat(alice.view())
        .isEqualTo(
            Map.of(
                "todo/1", json("{'text':'milk','done':true}"), "todo/4", json("{'text':'tea'}")));
    assertThat(
            client
                .send(HttpRequest.api("GET", "/rejections").by(client.token("alice/ü")))
                .json()
                .getJsonArray("rejections")
                .stream()
                .map(each -> each.asJsonObject().getString("code")))
        .containsExactly(
            "empty", "not-open", "bad-arguments", "unknown-mutator", "unknown-mutator");
  }

  private static JsonValue json(String text) {
    return JsonValue.parse(text.replace('\'', '"'));
  }

  private Process start(List<String> command, Map<String, String> environment) throws IOException {
    ProcessBuilder builder = new ProcessBuilder(command).directory(directory.toFile());
    builder.environment().putAll(environment);
    builder.environment().put("no_proxy", "127.0.0.1");
    return builder
        .redirectErrorStream(true)
        .redirectOutput(directory.resolve("log").toFile())
        .start();
  }
}
