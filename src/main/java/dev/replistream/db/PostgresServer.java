package dev.replistream.db;

import com.zaxxer.hikari.HikariConfig;
import com.zaxxer.hikari.HikariDataSource;
import java.sql.Connection;
import java.sql.Driver;
import java.sql.DriverManager;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Duration;
import java.util.Properties;
import org.postgresql.PGConnection;

/// A PostgreSQL server and how to connect to it. What the user's URL sets goes before what is set
/// here. Immutable.
final class PostgresServer {
  static final String SCHEME = "jdbc:postgresql:";

  /// How long a server may be away at the start, as one that starts along with this process is.
  static final Duration START_PATIENCE = Duration.ofSeconds(10);

  private static final Duration START_PAUSE = Duration.ofMillis(200);

  /// How long the server may take for one statement of a migration, which may build an index.
  private static final Duration MIGRATION_SILENCE = Duration.ofMinutes(10);

  /// How long a pooler may take to find a session for a second connection.
  private static final Duration PROBE_SILENCE = Duration.ofSeconds(3);

  /// How often it is looked whether a connection keeps its session.
  private static final int PROBES = 5;

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

  private static final String RESET_SETTINGS =
      """
      RESET default_transaction_isolation;
      RESET default_transaction_read_only;
      RESET lock_timeout;
      RESET statement_timeout;
      RESET idle_in_transaction_session_timeout;
      RESET synchronous_commit
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
        if (Failure.of(e) != Failure.UNAVAILABLE || isPoolersRefusal(e)) {
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

  /// PgBouncer says so with the state of a protocol's violation, as if it could get better.
  private static boolean isPoolersRefusal(SQLException e) {
    return String.valueOf(e.getMessage()).contains("unsupported startup parameter");
  }

  /// Checks that a connection has a session of the server to itself. Where a pooler between gives
  /// each transaction any session, {@link #SESSION_SETTINGS} get lost and reach others, and with
  /// them goes the promise of commits.
  ///
  /// That there is a pooler shows in the process which the connection was said to be served by
  /// (PostgreSQL, section 55.2.1, `BackendKeyData`): a pooler makes one up. Then a second
  /// connection shows whether the first shares its session, or changes it.
  ///
  /// @param connection one in auto-commit mode
  /// @throws DatabaseStartException when it shares its session
  void requireSession(Connection connection) {
    try {
      Backend before = backend(connection);
      if (connection.unwrap(PGConnection.class).getBackendPID() != before.pid()
          && sharesSession(connection)) {
        throw new DatabaseStartException(
            "between here and PostgreSQL a pooler, such as PgBouncer, gives each transaction another"
                + " session and loses its settings: let it pool by session (pool_mode = session), or"
                + " connect to PostgreSQL itself");
      }
    } catch (SQLException e) {
      throw new DatabaseStartException("PostgreSQL refused: " + reason(e));
    }
  }

  /// Leaves the connection without {@link #SESSION_SETTINGS}, as a migration may take longer, and
  /// wait longer for that of another node.
  private boolean sharesSession(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      statement.execute(SESSION_SETTINGS); // a pooler may leave a session to whoever changed it
      boolean shares = sharesChangedSession(connection);
      statement.execute(RESET_SETTINGS);
      return shares;
    }
  }

  private boolean sharesChangedSession(Connection connection) throws SQLException {
    Backend own = backend(connection);
    try (Connection other = driver().connect(settings.url(), properties(PROBE_SILENCE))) {
      if (backend(other).equals(own)) {
        return true;
      }
      // others use the pooler too: a transaction holds its session, so that another has to be taken
      other.setAutoCommit(false);
      for (int i = 0; i < PROBES; i++) {
        if (backend(other).equals(own) || !backend(connection).equals(own)) {
          return true;
        }
        other.rollback();
      }
      return false;
    } catch (SQLException _) {
      return !backend(connection).equals(own); // it has no session for a second one
    }
  }

  /// A process of a server.
  private record Backend(int pid, String serverStart) {}

  private static Backend backend(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement();
        ResultSet row =
            statement.executeQuery("SELECT pg_backend_pid(), pg_postmaster_start_time()")) {
      row.next();
      return new Backend(row.getInt(1), row.getString(2));
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
