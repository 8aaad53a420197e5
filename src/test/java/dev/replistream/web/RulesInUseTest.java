package dev.replistream.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What the pages make of the rules that the service runs.
class RulesInUseTest {
  private static final Path DEMO = Path.of("src/main/resources/web/demo/mutators.mjs");

  @TempDir private Path directory;

  /// What the demo needs, as far as the page looks.
  private Path replicache() throws IOException {
    Path modules = directory.resolve("node_modules");
    for (String name :
        List.of(
            "replicache/out/replicache.js",
            "@badrap/valita/dist/mjs/index.mjs",
            "@rocicorp/lock/out/lock.js",
            "@rocicorp/logger/out/logger.js",
            "@rocicorp/resolver/out/resolver.js")) {
      Path file = modules.resolve(name);
      Files.createDirectories(Objects.requireNonNull(file.getParent()));
      Files.writeString(file, "");
    }
    return modules.resolve("replicache");
  }

  private DevelopmentService start(String... environment) throws IOException {
    String[] all = {"DEMO_REPLICACHE", replicache().toString(), environment[0], environment[1]};
    return new DevelopmentService(directory.resolve("data"), all);
  }

  @Test
  void theDemoRunsByItsRulesWhereTheServerHasThemAndTheConsoleSaysWhenTheyDoNotLoad()
      throws IOException {
    Path rules = directory.resolve("rules.mjs");
    Files.copy(DEMO, rules);
    try (DevelopmentService service = start("MUTATORS_FILE", rules.toString())) {
      assertThat(service.get("/demo").body()).contains("data-rules=\"true\"");
      assertThat(service.get("/demo/mutators.mjs").body()).isEqualTo(Files.readString(DEMO));
      HttpReply whole = service.get("/development/rules");
      assertThat(whole.body()).isEqualTo("{}");
      assertThat(whole.header("Cache-Control")).isEqualTo("no-store");

      Files.writeString(rules, "export const mutators = {\n  a(");
      Eventually.holds("it says so", () -> !service.get("/development/rules").body().equals("{}"));

      String reason =
          JsonValue.parse(service.get("/development/rules").body()).get("staleness").asText();
      assertThat(reason).startsWith("rules.mjs:2:").contains("SyntaxError");
      assertThat(service.get("/demo").body()).contains("data-rules=\"true\""); // as before
      Files.writeString(rules, "export const mutators = {other() {}};");
      Eventually.holds("it loads", () -> service.get("/development/rules").body().equals("{}"));
      assertThat(service.get("/demo").body()).contains("serve --mutators mutators.mjs");
    }
  }

  @Test
  void theDemoRunsByWhatIsBuiltInAndSaysWhatItNeedsWhereThatIsOff() throws IOException {
    try (DevelopmentService service = start("MUTATORS_BUILT_IN", "true")) {
      assertThat(service.get("/demo").body()).contains("data-rules=\"false\"");
    }
    try (DevelopmentService service = start("MUTATORS_BUILT_IN", "false")) {
      assertThat(service.get("/demo").body())
          .contains("serve --mutators mutators.mjs")
          .doesNotContain("importmap");
    }
  }

  @Test
  void outsideOfDevelopmentModeNobodyIsToldOfTheFile() {
    try (TestService keyed = TestService.start("CONSOLE", "true")) {
      assertThat(keyed.client().send(HttpRequest.of("GET", "/development/rules")).status())
          .isEqualTo(404);
    }
  }
}
