package dev.replistream.http.wire;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;

/// How many connections this process can hold, by its limit of open files.
///
/// Without descriptors, files can't be opened either; so a listener stops accepting before, and the
/// clients beyond wait in the kernel's backlog. Streams stop a little earlier still, so that pokes
/// and refusals find a connection when all streams are taken.
public final class FileDescriptors {
  /// Kept for jars, logs, the database, and the operator's listener.
  private static final int FOR_FILES = 200;

  /// Kept for requests that are not streams.
  private static final int FOR_REQUESTS = 100;

  private FileDescriptors() {}

  /// The most TCP connections of the API's listener, or -1 where the limit isn't known.
  public static int maxConnections() {
    int limit = softLimit();
    return limit == Integer.MAX_VALUE ? -1 : limit - Math.min(FOR_FILES, limit / 2);
  }

  /// From so many of them on, those that can be spared are closed. There may be more for a moment,
  /// as connections are accepted faster than they are looked at.
  static int fullAt() {
    int connections = maxConnections();
    return connections < 0
        ? Integer.MAX_VALUE
        : connections - Math.min(FOR_REQUESTS, connections / 4) / 4;
  }

  /// The most of them that may be streams.
  public static int maxStreams() {
    int connections = maxConnections();
    return connections < 0
        ? Integer.MAX_VALUE
        : connections - Math.min(FOR_REQUESTS, connections / 4);
  }

  private static int softLimit() {
    try {
      List<String> limits = Files.readAllLines(Path.of("/proc/self/limits"));
      for (String line : limits) {
        if (line.startsWith("Max open files")) {
          String soft = line.substring("Max open files".length()).strip().split("\\s+", 2)[0];
          return soft.equals("unlimited")
              ? Integer.MAX_VALUE
              : (int) Math.min(Long.parseLong(soft), Integer.MAX_VALUE);
        }
      }
    } catch (IOException | NumberFormatException _) {
      // no Linux: the configured limits are all there is
    }
    return Integer.MAX_VALUE;
  }
}
