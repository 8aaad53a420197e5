package dev.replistream.web;

import dev.replistream.http.Problem;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/// The npm package `replicache` and the four that it imports, as npm installed them. Its licence
/// lets nobody else hand it out, so it is looked for on this machine, each time it is asked for: it
/// may be installed while the server runs. Thread-safe.
final class ReplicachePackage {
  private static final String PARTS = "replicache/out/";

  /// What the pages may load, and where it stands in `node_modules`.
  private static final Map<String, String> MODULES =
      Map.of(
          "replicache.js", PARTS + "replicache.js",
          "valita.js", "@badrap/valita/dist/mjs/index.mjs",
          "lock.js", "@rocicorp/lock/out/lock.js",
          "logger.js", "@rocicorp/logger/out/logger.js",
          "resolver.js", "@rocicorp/resolver/out/resolver.js");

  /// The package's own parts, whose names change with each version.
  private static final Pattern PART = Pattern.compile("chunk-[A-Za-z0-9_]{1,32}\\.js");

  private final List<Path> places;

  /// @param places directories of the package, the first that is there counts
  ReplicachePackage(List<Path> places) {
    this.places = List.copyOf(places);
  }

  /// Whether every module is there.
  boolean isInstalled() {
    return MODULES.keySet().stream().allMatch(name -> find(name).isPresent());
  }

  /// `GET /demo/{module}`: one of the modules, by its fixed name.
  void send(ServerRequest request, ServerResponse response) {
    String name = request.path().pathParameters().get("module");
    Path file = find(name).orElseThrow(ReplicachePackage::missing);
    try {
      new Asset(name, Files.readAllBytes(file), Page.OWN).send(request, response);
    } catch (IOException _) {
      throw missing();
    }
  }

  private static RuntimeException missing() {
    return Problem.of(
            Status.NOT_FOUND_404,
            "This is no file of the demo, or the npm package replicache is not where"
                + " replistream.demo.replicache says.")
        .toException();
  }

  private Optional<Path> find(String name) {
    String module = PART.matcher(name).matches() ? PARTS + name : MODULES.get(name);
    if (module == null) {
      return Optional.empty();
    }
    return places.stream()
        .filter(Files::isDirectory)
        .findFirst()
        .flatMap(place -> candidates(place, module).filter(Files::isRegularFile).findFirst());
  }

  /// npm puts what a package needs beside it, or below it where versions differ.
  private static Stream<Path> candidates(Path place, String module) {
    Path absolute = place.toAbsolutePath();
    if (module.startsWith(PARTS)) {
      return Stream.of(absolute.resolve("out").resolve(module.substring(PARTS.length())));
    }
    return Stream.of(
        absolute.resolve("node_modules").resolve(module), absolute.resolveSibling(module));
  }
}
