package dev.replistream.client;

import dev.replistream.Main;
import dev.replistream.QuickStart;
import dev.replistream.api.JsonValue;
import java.util.Map;
import java.util.stream.Stream;

/// How tests under Node start servers, each in a process of its own: `src/test/js/server.mjs`.
final class ServerProcess {
  private ServerProcess() {}

  /// The tests give it its environment and put mutators behind the class path.
  private static Stream<String> command() {
    return Stream.concat(QuickStart.java().stream(), Stream.of(Main.class.getName(), "serve"));
  }

  /// What the environment of Node has to hold.
  static Map<String, String> environment() {
    return Map.of(
        "CLASSPATH", QuickStart.classPath(),
        "SERVER_COMMAND", JsonValue.array(command().map(JsonValue::of).toList()).toJson());
  }
}
