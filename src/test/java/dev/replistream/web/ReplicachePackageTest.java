package dev.replistream.web;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.Base64;
import java.util.Objects;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The demo takes the Replicache client from where npm put it, and nothing else from there.
class ReplicachePackageTest {
  private static final Pattern IMPORT_MAP =
      Pattern.compile("<script type=\"importmap\">(.*?)</script>", Pattern.DOTALL);

  @TempDir private Path directory;
  private Path modules;
  private DevelopmentService service;

  @BeforeEach
  void start() {
    modules = directory.resolve("node_modules");
    service =
        new DevelopmentService(
            directory.resolve("data"), "DEMO_REPLICACHE", modules.resolve("replicache").toString());
  }

  @AfterEach
  void close() {
    service.close();
  }

  private static void write(Path file, String content) throws IOException {
    Files.createDirectories(Objects.requireNonNull(file.getParent()));
    Files.writeString(file, content);
  }

  private void install() throws IOException {
    write(modules.resolve("replicache/out/replicache.js"), "the client");
    write(modules.resolve("replicache/out/chunk-B3SOU6MT.js"), "its part");
    installDependencies(modules);
  }

  private static void installDependencies(Path place) throws IOException {
    write(place.resolve("@badrap/valita/dist/mjs/index.mjs"), "valita");
    write(place.resolve("@rocicorp/lock/out/lock.js"), "lock");
    write(place.resolve("@rocicorp/logger/out/logger.js"), "logger");
    write(place.resolve("@rocicorp/resolver/out/resolver.js"), "resolver");
  }

  private String read(String name) {
    HttpReply reply = service.get("/demo/" + name);
    assertThat(reply.status()).as(name).isEqualTo(200);
    assertThat(reply.header("Content-Type")).isEqualTo("text/javascript; charset=utf-8");
    assertThat(reply.header("Cross-Origin-Resource-Policy")).isEqualTo("same-origin");
    assertThat(reply.headers("Access-Control-Allow-Origin")).isEmpty();
    return reply.body();
  }

  @Test
  void withoutThePackageTheDemoTellsHowToGetIt() {
    HttpReply page = service.get("/demo");

    assertThat(page.status()).isEqualTo(200);
    assertThat(page.body()).contains("npm install replicache@15.3.0").doesNotContain("importmap");
    assertThat(service.get("/demo/replicache.js").status()).isEqualTo(404);
  }

  @Test
  void onceItIsInstalledTheDemoRunsWithoutARestart() throws IOException {
    assertThat(service.get("/demo").body()).contains("npm install");

    install();

    assertThat(service.get("/demo").body()).contains("importmap").doesNotContain("npm install");
    assertThat(read("replicache.js")).isEqualTo("the client");
    assertThat(read("chunk-B3SOU6MT.js")).isEqualTo("its part");
    assertThat(read("valita.js")).isEqualTo("valita");
    assertThat(read("lock.js")).isEqualTo("lock");
    assertThat(read("logger.js")).isEqualTo("logger");
    assertThat(read("resolver.js")).isEqualTo("resolver");
  }

  @Test
  void aPackageWithoutWhatItImportsIsNotInstalled() throws IOException {
    install();
    Files.delete(modules.resolve("@rocicorp/lock/out/lock.js"));

    assertThat(service.get("/demo").body()).contains("npm install");
  }

  @Test
  void whatItImportsMayStandBelowIt() throws IOException {
    install();
    installDependencies(modules.resolve("replicache/node_modules"));
    write(modules.resolve("replicache/node_modules/@rocicorp/lock/out/lock.js"), "its own lock");

    assertThat(read("lock.js")).isEqualTo("its own lock");
  }

  @Test
  void aModuleHasATagAndAHead() throws IOException {
    install();
    String etag = Objects.requireNonNull(service.get("/demo/replicache.js").header("ETag"));
    HttpRequest request = HttpRequest.of("GET", "/demo/replicache.js");

    assertThat(service.send(request.with("If-None-Match", etag)).status()).isEqualTo(304);
    HttpReply head = service.send(HttpRequest.of("HEAD", "/demo/replicache.js"));
    assertThat(head.header("Content-Length")).isEqualTo("10");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/demo/secret.js",
        "/demo/chunk-secret/../secret.js",
        "/demo/../secret.js",
        "/demo/..%2Fsecret.js",
        "/demo/%2e%2e%2fsecret.js",
        "/demo/..%5Csecret.js",
        "/demo/chunk-..%2F..%2Fsecret.js",
        "/demo/chunk-/../../secret.js",
        "/demo/chunk-a.js%00.js",
        "/demo/replicache.js/..%2f..%2fsecret.js",
        "/demo//etc/passwd",
        "/demo/%2Fetc%2Fpasswd",
        "/demo/package.json",
        "/demo/impl.js",
        "/demo/REPLICACHE.JS",
      })
  void nothingElseCanBeRead(String target) throws IOException {
    install();
    write(modules.resolve("replicache/out/secret.js"), "secret");
    write(modules.resolve("replicache/out/impl.js"), "secret");
    write(modules.resolve("replicache/secret.js"), "secret");
    write(modules.resolve("replicache/package.json"), "secret");
    write(modules.resolve("secret.js"), "secret");

    HttpReply reply = service.get(target);

    assertThat(reply.status()).isIn(400, 404);
    assertThat(reply.body()).doesNotContain("\"secret\"", "root:").isNotEqualTo("secret");
  }

  @Test
  void thePolicyOfThePageAllowsItsImportMapByItsHashAndNoOtherScript()
      throws IOException, NoSuchAlgorithmException {
    install();
    HttpReply page = service.get("/demo");
    Matcher importMap = IMPORT_MAP.matcher(page.body());
    assertThat(importMap.find()).isTrue();
    byte[] digest =
        MessageDigest.getInstance("SHA-256")
            .digest(importMap.group(1).getBytes(StandardCharsets.UTF_8));
    String hash = Base64.getEncoder().encodeToString(digest);

    assertThat(page.header("Content-Security-Policy"))
        .contains("script-src 'self' 'sha256-" + hash + "';");
    assertThat(importMap.find()).isFalse();
  }
}
