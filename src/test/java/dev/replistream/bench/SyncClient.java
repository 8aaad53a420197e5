package dev.replistream.bench;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.stream.Collectors;
import java.util.stream.IntStream;

/// A client group with one client. Confined to one thread.
final class SyncClient implements AutoCloseable {
  private final SyncConnection connection;
  private final String name;
  private final String mutator;
  private int lastMutationId;
  private String cookie = "null";

  /// @param token its user's
  /// @param name a name of its own
  SyncClient(int port, String token, String name) throws IOException {
    this(port, token, name, "put");
  }

  /// @param token its user's
  /// @param name a name of its own
  /// @param mutator which one its pushes are for
  SyncClient(int port, String token, String name, String mutator) throws IOException {
    this.connection = new SyncConnection(port, token);
    this.name = name;
    this.mutator = mutator;
  }

  /// Pushes `count` mutations that set keys from `first` on.
  void push(int first, int count) throws IOException {
    String mutations =
        IntStream.range(first, first + count)
            .mapToObj(this::mutation)
            .collect(Collectors.joining(","));
    connection.post(
        "push",
        """
        {"profileID":"p","clientGroupID":"g-%s","mutations":[%s],"pushVersion":1,"schemaVersion":""}\
        """
            .formatted(name, mutations));
  }

  private String mutation(int key) {
    lastMutationId++;
    return """
    {"id":%d,"name":"%s","args":{"key":"item/%07d","%s":{"text":"%s","rank":%d,"done":false}},\
    "timestamp":1.5,"clientID":"c-%s"}\
    """
        .formatted(
            lastMutationId,
            mutator,
            key,
            mutator.equals("patch") ? "merge" : "value",
            "a text of some length ".repeat(3),
            lastMutationId,
            name);
  }

  /// Pulls what changed since the last {@link #catchUp}.
  byte[] pull() throws IOException {
    return connection.post(
        "pull",
        """
        {"profileID":"p","clientGroupID":"g-%s","cookie":%s,"pullVersion":1,"schemaVersion":""}\
        """
            .formatted(name, cookie));
  }

  /// Pulls and keeps the cookie.
  void catchUp() throws IOException {
    String answer = new String(pull(), StandardCharsets.UTF_8);
    int start = answer.indexOf("\"cookie\":") + "\"cookie\":".length();
    int end = start;
    for (int depth = 0; depth > 0 || end == start; end++) {
      depth += answer.charAt(end) == '{' ? 1 : answer.charAt(end) == '}' ? -1 : 0;
    }
    cookie = answer.substring(start, end);
  }

  @Override
  public void close() throws IOException {
    connection.close();
  }
}
