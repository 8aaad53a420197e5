package dev.replistream.client;

import dev.replistream.Main;
import dev.replistream.QuickStart;
import dev.replistream.http.JsonValue;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;

/// How tests under Node start servers, each in a process of its own: `src/test/js/server.mjs`.
final class ServerProcess {
  private ServerProcess() {}

  /// The tests give it its environment and put mutators behind the class path.
  private static Stream<String> command() {
    return Stream.of(
            List.of(Path.of(System.getProperty("java.home"), "bin", "java").toString()),
            QuickStart.options(),
            List.of(
                "--enable-native-access=ALL-UNNAMED",
                "-Dslf4j.internal.verbosity=ERROR",
                Main.class.getName(),
                "serve"))
        .flatMap(List::stream);
  }

  /// What the environment of Node has to hold.
  static Map<String, String> environment() {
    return Map.of(
        "CLASSPATH", QuickStart.classPath(),
        "SERVER_COMMAND", JsonValue.array(command().map(JsonValue::of).toList()).toJson());
  }
}
