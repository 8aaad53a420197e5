package dev.replistream.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.time.Duration;
import java.util.Properties;

/// A PostgreSQL server and how to connect to it. What the user's URL sets goes before what is set
/// here. Immutable.
final class PostgresServer {
  static final String SCHEME = "jdbc:postgresql:";

  /// How long a server may be away at the start, as one that starts along with this process is.
  static final Duration START_PATIENCE = Duration.ofSeconds(10);

  private static final Duration START_PAUSE = Duration.ofMillis(200);

  /// How long the server may take for one statement of a migration, which may build an index.
  private static final Duration MIGRATION_SILENCE = Duration.ofMinutes(10);

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(2);

  /// How long a transaction waits for a connection. Some of the five seconds that a caller waits is
  /// left for a server that hangs.
  private static final Duration POOL_PATIENCE = Duration.ofSeconds(3);

  /// How long a connection that was idle may take to say that it is alive.
  private static final Duration VALIDATION = Duration.ofMillis(500);

  /// The longest silence of the server in a transaction, so that one that hangs is noticed, and its
  /// caller answered, within five seconds.
  static final Duration SILENCE = Duration.ofMillis(4_800);

  /// What the server itself is told, shorter than {@link #SILENCE} so that the connection outlives
  /// it: the waiting for a lock ends after 3 s and a statement after 4 s. Locks of a process that
  /// vanished go after 60 s, which is also how long a snapshot may wait for a slow client between
  /// two reads. A commit is on the disk before it is answered, even where the default of the
  /// server, the database or the role is not to wait for it; one that waits for more stays.
  private static final String SESSION_SETTINGS =
      """
      SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED READ WRITE;
      SET lock_timeout = '3s';
      SET statement_timeout = '4s';
      SET idle_in_transaction_session_timeout = '60s';
      SELECT set_config('synchronous_commit', CASE setting WHEN 'off' THEN 'on' ELSE setting END, false)
      FROM current_setting('synchronous_commit') AS setting
      """;

  private final DbSettings settings;

  PostgresServer(DbSettings settings) {
    this.settings = settings;
  }

  private Properties properties(Duration silence) {
    Properties properties = new Properties();
    settings.user().ifPresent(user -> properties.setProperty("user", user));
    settings.password().ifPresent(password -> properties.setProperty("password", password));
    properties.setProperty("ApplicationName", "replistream");
    properties.setProperty("connectTimeout", seconds(CONNECT_TIMEOUT));
    properties.setProperty("socketTimeout", seconds(silence));
    properties.setProperty("tcpKeepAlive", "true");
    return properties;
  }

  /// Whole seconds, and no less than one, as 0 would mean no limit.
  private static String seconds(Duration duration) {
    return String.valueOf(Math.max(1, duration.plusMillis(999).toSeconds()));
  }

  /// A connection for migrations, in auto-commit mode.
  ///
  /// @param patience how long the server may be away
  /// @throws DatabaseStartException when it does not come, or does not let this user in
  Connection connectAtStart(Duration patience) {
    Driver driver = driver();
    Properties properties = properties(MIGRATION_SILENCE);
    long end = System.nanoTime() + patience.toNanos();
    while (true) {
      properties.setProperty("loginTimeout", seconds(Duration.ofNanos(end - System.nanoTime())));
      try {
        return driver.connect(settings.url(), properties);
      } catch (SQLException e) {
        if (Failure.of(e) != Failure.UNAVAILABLE) {
          throw new DatabaseStartException("PostgreSQL refused: " + reason(e));
        }
        if (System.nanoTime() + START_PAUSE.toNanos() - end >= 0) {
          throw new DatabaseStartException(
              "PostgreSQL did not answer for %s seconds: %s"
                  .formatted(patience.toSeconds(), reason(e)));
        }
        pause();
      }
    }
  }

  private Driver driver() {
    try {
      return DriverManager.getDriver(settings.url());
    } catch (SQLException _) {
      throw new DatabaseStartException("PostgreSQL's driver can't read this URL");
    }
  }

  private static void pause() {
    try {
      Thread.sleep(START_PAUSE);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
      throw new DatabaseStartException("interrupted while waiting for PostgreSQL");
    }
  }

  private static String reason(SQLException e) {
    Throwable cause = e.getCause();
    return cause == null ? String.valueOf(e.getMessage()) : e.getMessage() + " " + cause;
  }

  /// A pool of connections that are not in auto-commit mode. It connects when it has to, so that
  /// the server may be away at any time.
  PostgresPool pool() {
    HikariConfig config = new HikariConfig();
    config.setPoolName("postgresql");
    config.setJdbcUrl(settings.url());
    config.setDataSourceProperties(properties(SILENCE));
    config.setMaximumPoolSize(settings.poolSize());
    config.setAutoCommit(false);
    // commits the statement below: else a connection begins in its transaction, and the first
    // rollback takes the settings back
    config.setIsolateInternalQueries(true);
    config.setConnectionInitSql(SESSION_SETTINGS);
    config.setConnectionTimeout(POOL_PATIENCE.toMillis());
    config.setValidationTimeout(VALIDATION.toMillis());
    config.setInitializationFailTimeout(-1);
    return new PostgresPool(new HikariDataSource(config));
  }
}
