package dev.replistream.db;

import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.sql.Connection;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.logging.Level;
import java.util.logging.Logger;

/// A PostgreSQL server that the tests of this JVM share; it starts with the first that asks and
/// ends with the JVM. Thread-safe.
public final class TestPostgres {
  private static final String USER = "postgres";

  /// Within which a server starts on a busy machine.
  private static final Duration START = Duration.ofMinutes(1);

  /// Held, so that their levels are not collected with them.
  private static final List<Logger> QUIET =
      List.of(
          Logger.getLogger("io.zonky.test"),
          Logger.getLogger("com.zaxxer.hikari"),
          Logger.getLogger("pg"));

  private static final AtomicInteger DATABASES = new AtomicInteger();

  private TestPostgres() {}

  /// Loaded, and with it the server started, at the first use.
  private static final class Server {
    static final EmbeddedPostgres RUNNING = start();

    private static EmbeddedPostgres start() {
      try {
        return builder().start();
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    }
  }

  /// What a server of the tests is like: it finds deadlocks soon, and says little.
  static EmbeddedPostgres.Builder builder() {
    QUIET.forEach(logger -> logger.setLevel(Level.OFF));
    return EmbeddedPostgres.builder()
        .setPGStartupWait(START)
        .setServerConfig("max_connections", "200")
        .setServerConfig("fsync", "off")
        .setServerConfig("synchronous_commit", "off")
        .setServerConfig("deadlock_timeout", "100ms");
  }

  /// Makes a new, empty database and returns its URL, which needs no password.
  public static String newDatabase() {
    String name = "test" + DATABASES.incrementAndGet();
    try (Connection connection = Server.RUNNING.getPostgresDatabase().getConnection();
        Statement statement = connection.createStatement()) {
      statement.execute("CREATE DATABASE " + name);
    } catch (SQLException e) {
      throw new AssertionError(e);
    }
    return Server.RUNNING.getJdbcUrl(USER, name);
  }

  /// The settings for a database of this server.
  public static DbSettings settings(String url) {
    return new DbSettings(url, Optional.of(USER), Optional.empty(), 10);
  }
}
