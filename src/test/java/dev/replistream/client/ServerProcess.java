package dev.replistream.client;

import dev.replistream.Main;
import dev.replistream.http.JsonValue;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;

/// How tests under Node start servers, each in a process of its own: `src/test/js/server.mjs`.
final class ServerProcess {
  /// The tests give it its environment and put mutators before the class path. C1 and the serial
  /// collector start fastest.
  private static final List<String> COMMAND =
      List.of(
          Path.of(System.getProperty("java.home"), "bin", "java").toString(),
          "-XX:TieredStopAtLevel=1",
          "-XX:+UseSerialGC",
          "--enable-native-access=ALL-UNNAMED",
          "-Dslf4j.internal.verbosity=ERROR",
          Main.class.getName(),
          "serve");

  private ServerProcess() {}

  /// What the environment of Node has to hold.
  static Map<String, String> environment() {
    return Map.of(
        "CLASSPATH", System.getProperty("java.class.path"),
        "SERVER_COMMAND", JsonValue.array(COMMAND.stream().map(JsonValue::of).toList()).toJson());
  }
}
