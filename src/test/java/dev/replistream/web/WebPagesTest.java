package dev.replistream.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.TestService;
import java.net.URI;
import java.nio.file.Path;
import java.util.List;
import java.util.Objects;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// The files for the browser, and who gets which.
class WebPagesTest {
  private static final String APP = "https://app.example.com";
  private static final Pattern LOADED =
      Pattern.compile("(?:src=|href=|from |import\\()[\"']([./][^\"'#?]*)[\"']");

  @TempDir private static Path dataDir;
  private static DevelopmentService service;

  @BeforeAll
  static void start() {
    service = new DevelopmentService(dataDir);
  }

  @AfterAll
  static void close() {
    service.close();
  }

  @ParameterizedTest
  @CsvSource({
    "/, text/html; charset=utf-8",
    "/demo, text/html; charset=utf-8",
    "/console/base.css, text/css; charset=utf-8",
    "/console/console.js, text/javascript; charset=utf-8",
    "/console/icon.svg, image/svg+xml",
    "/replistream.js, text/javascript; charset=utf-8",
    "/replistream.d.ts, text/plain; charset=utf-8",
    "/replistream.tgz, application/gzip",
    "/openapi.yaml, application/yaml",
  })
  void aFileSaysWhatItIsAndIsAskedForAnewEachTime(String path, String contentType) {
    HttpReply reply = service.get(path);

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("Content-Type")).isEqualTo(contentType);
    assertThat(reply.header("Cache-Control")).isEqualTo("no-cache");
    assertThat(reply.header("X-Content-Type-Options")).isEqualTo("nosniff");
    assertThat(reply.header("Referrer-Policy")).isEqualTo("no-referrer");
    assertThat(reply.header("ETag")).matches("\"[\\w-]{22}\"");
    assertThat(reply.body()).isNotBlank();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/replistream.js", "/replistream.tgz", "/openapi.yaml"})
  void whoHasItIsNotSentItAgain(String path) {
    String etag = Objects.requireNonNull(service.get(path).header("ETag"));

    for (String held : List.of(etag, "W/" + etag, "\"x\", " + etag, "*", "\"x\",W/" + etag)) {
      HttpReply reply = service.send(HttpRequest.of("GET", path).with("If-None-Match", held));

      assertThat(reply.status()).as(held).isEqualTo(304);
      assertThat(reply.header("ETag")).isEqualTo(etag);
      assertThat(reply.header("Cache-Control")).isEqualTo("no-cache");
      assertThat(reply.body()).isEmpty();
    }
    for (String other : List.of("\"x\"", "", etag.replace("\"", ""), etag + "x")) {
      HttpReply reply = service.send(HttpRequest.of("GET", path).with("If-None-Match", other));

      assertThat(reply.status()).as(other).isEqualTo(200);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/replistream.js", "/console/console.css"})
  void headIsGetWithoutTheBody(String path) {
    HttpReply get = service.get(path);

    HttpReply head = service.send(HttpRequest.of("HEAD", path));

    assertThat(head.status()).isEqualTo(200);
    for (String header : List.of("Content-Length", "Content-Type", "ETag", "Cache-Control")) {
      assertThat(head.header(header)).isEqualTo(get.header(header));
    }
    assertThat(service.send(HttpRequest.of("POST", path)).header("Allow")).isEqualTo("GET, HEAD");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/demo"})
  void aPageLoadsNothingButFilesOfThisServer(String path) {
    HttpReply page = service.get(path);

    List<String> policy =
        List.of(Objects.requireNonNull(page.header("Content-Security-Policy")).split("; "));
    assertThat(policy)
        .contains(
            "default-src 'none'",
            "style-src 'self'",
            "connect-src 'self'",
            "frame-ancestors 'none'",
            "base-uri 'none'",
            "form-action 'none'")
        .anyMatch(each -> each.matches("script-src 'self'( 'sha256-[\\w+/=]{44}')?"));
    assertThat(policy.toString()).doesNotContain("unsafe", "http", " *");
    assertThat(page.header("Cross-Origin-Resource-Policy")).isEqualTo("same-origin");
    assertThat(page.body())
        .doesNotContain("{{", "<style", " style=", "javascript:", "<script>")
        .doesNotContainPattern(" on[a-z]+=");
  }

  @Test
  void everyFileThatAPageNamesIsThere() {
    TreeSet<String> seen = new TreeSet<>();
    List<String> open = List.of("/", "/demo");
    while (!open.isEmpty()) {
      seen.addAll(open);
      open =
          open.stream()
              .flatMap(WebPagesTest::loadedBy)
              .distinct()
              .filter(path -> !seen.contains(path))
              .toList();
    }

    assertThat(seen).contains("/replistream.js", "/console/panel.js", "/console/base.css");
    for (String path : seen) {
      assertThat(service.get(path).status()).as(path).isEqualTo(200);
    }
  }

  private static Stream<String> loadedBy(String path) {
    return LOADED
        .matcher(service.get(path).body())
        .results()
        .map((MatchResult match) -> URI.create(path).resolve(match.group(1)).getPath());
  }

  @ParameterizedTest
  @ValueSource(strings = {"/", "/demo", "/console/console.js", "/demo/demo.js"})
  void noOtherOriginReadsThePages(String path) {
    HttpReply reply = service.send(HttpRequest.of("GET", path).with("Origin", APP));

    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.headers("Access-Control-Allow-Origin")).isEmpty();
    assertThat(reply.header("Cross-Origin-Resource-Policy")).isEqualTo("same-origin");
  }

  @Test
  void aPageHoldsNoToken() {
    assertThat(service.get("/").body()).doesNotContain("eyJ");
    assertThat(service.get("/").body()).contains("data-development=\"true\"");
  }

  @Test
  void theClientScriptAndTheDescriptionAreServedByEveryServiceToTheOriginsThatMayCall() {
    try (TestService keyed = TestService.start("CORS_ALLOW_ORIGINS", APP)) {
      for (String path :
          List.of("/replistream.js", "/replistream.d.ts", "/replistream.tgz", "/openapi.yaml")) {
        HttpRequest request = HttpRequest.of("GET", path);
        HttpReply allowed = keyed.client().send(request.with("Origin", APP));
        HttpReply foreign = keyed.client().send(request.with("Origin", "https://evil.example"));

        assertThat(allowed.status()).isEqualTo(200);
        assertThat(allowed.header("Access-Control-Allow-Origin")).isEqualTo(APP);
        assertThat(allowed.header("Vary")).isEqualTo("Origin");
        assertThat(allowed.header("Cross-Origin-Resource-Policy")).isEqualTo("cross-origin");
        assertThat(foreign.headers("Access-Control-Allow-Origin")).isEmpty();
      }
    }
  }

  @Test
  void aServiceWithAKeyHasNoPagesUnlessToldTo() {
    List<String> paths = List.of("/", "/demo", "/console/console.js", "/demo/replicache.js");
    try (TestService keyed = TestService.start()) {
      for (String path : paths) {
        HttpReply reply = keyed.client().send(HttpRequest.of("GET", path));

        assertThat(reply.status()).as(path).isEqualTo(404);
        assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
      }
    }
    try (TestService told = TestService.start("CONSOLE", "true")) {
      HttpReply page = told.client().send(HttpRequest.of("GET", "/"));

      assertThat(page.status()).isEqualTo(200);
      assertThat(page.body()).contains("data-development=\"false\"");
    }
  }

  @Test
  void aServiceInDevelopmentModeHasNoPagesWhenToldSo(@TempDir Path other) {
    try (DevelopmentService without = new DevelopmentService(other, "CONSOLE", "false")) {
      assertThat(without.get("/").status()).isEqualTo(404);
      assertThat(without.get("/demo").status()).isEqualTo(404);
      assertThat(
              without
                  .send(HttpRequest.of("POST", "/development/token").with("{\"user\":\"bob\"}"))
                  .status())
          .isEqualTo(404);
      assertThat(without.get("/replistream.js").status()).isEqualTo(200);
    }
  }
}
