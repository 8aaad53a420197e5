package dev.replistream.db;

import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/// Brings a database to the schema of this version: the scripts `V1.sql`, `V2.sql` and so on of a
/// package, each in one transaction with the note that it was run. Processes that start at once run
/// each script once. Immutable.
final class Migrations {
  /// The key of PostgreSQL's advisory lock that migrations hold: "replistr" in ASCII.
  private static final long LOCK_KEY = 0x7265706c69737472L;

  private static final int EPOCH_BYTES = 4;
  private static final int COOKIE_KEY_BYTES = 32;

  private static final Pattern COMMENT = Pattern.compile("(?m)^\\s*--.*$");
  private static final Pattern END_OF_STATEMENT = Pattern.compile("(?m);\\s*$");

  private final Dialect dialect;
  private final List<List<String>> scripts;

  private Migrations(Dialect dialect, List<List<String>> scripts) {
    this.dialect = dialect;
    this.scripts = scripts;
  }

  /// Those of the service.
  static Migrations of(Dialect dialect) {
    return of(dialect, "/db/");
  }

  /// Those of the resources whose name begins with `prefix`.
  static Migrations of(Dialect dialect, String prefix) {
    List<List<String>> scripts = new ArrayList<>();
    for (String text = read(prefix, 1); text != null; text = read(prefix, scripts.size() + 1)) {
      scripts.add(statements(dialect, text));
    }
    return new Migrations(dialect, List.copyOf(scripts));
  }

  private static @Nullable String read(String prefix, int version) {
    try (InputStream in = Migrations.class.getResourceAsStream(prefix + "V" + version + ".sql")) {
      return in == null ? null : new String(in.readAllBytes(), StandardCharsets.UTF_8);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The statements of a script: each ends with a semicolon at the end of a line, and a line that
  /// begins with two dashes is a comment.
  private static List<String> statements(Dialect dialect, String script) {
    String text = COMMENT.matcher(script).replaceAll("");
    return END_OF_STATEMENT
        .splitAsStream(inDialect(dialect, text))
        .map(String::strip)
        .filter(each -> !each.isEmpty())
        .toList();
  }

  /// The script with what only one of the two databases understands.
  static String inDialect(Dialect dialect, String script) {
    boolean sqlite = dialect == Dialect.SQLITE;
    return script
        .replace("${blob}", sqlite ? "BLOB" : "BYTEA")
        .replace("${text}", sqlite ? "TEXT" : "TEXT COLLATE \"C\"")
        .replace("${clustered}", sqlite ? " WITHOUT ROWID" : "")
        .replace(
            "${serial}",
            sqlite
                ? "INTEGER PRIMARY KEY AUTOINCREMENT"
                : "BIGINT PRIMARY KEY GENERATED ALWAYS AS IDENTITY")
        .replace("${members}", sqlite ? "json_each" : "json_each_text")
        .replace("${json}", sqlite ? "" : "::json");
  }

  /// Runs what was not run yet.
  ///
  /// @param connection one in auto-commit mode, for this alone
  /// @throws DatabaseStartException when the database has a schema of a later version
  /// @throws SQLException when a statement fails; the transaction of its script was rolled back
  void run(Connection connection) throws SQLException {
    try (Statement statement = connection.createStatement()) {
      while (inTransaction(statement, this::runNext)) {
        // until there is none left
      }
      inTransaction(statement, this::addMeta);
    }
  }

  /// What is done in one transaction.
  @FunctionalInterface
  private interface Step {
    boolean run(Statement statement) throws SQLException;
  }

  private boolean inTransaction(Statement statement, Step step) throws SQLException {
    statement.execute(dialect == Dialect.SQLITE ? "BEGIN IMMEDIATE" : "BEGIN");
    try {
      if (dialect == Dialect.POSTGRESQL) {
        statement.execute("SELECT pg_advisory_xact_lock(" + LOCK_KEY + ")");
      }
      boolean result = step.run(statement);
      statement.execute("COMMIT");
      return result;
    } catch (Throwable thrown) {
      try {
        statement.execute("ROLLBACK");
      } catch (SQLException e) {
        thrown.addSuppressed(e); // SQLite did it already, or the connection is lost
      }
      throw thrown;
    }
  }

  private boolean runNext(Statement statement) throws SQLException {
    int version = version(statement);
    if (version > scripts.size()) {
      throw new DatabaseStartException(
          "the database has schema %s of a later release; this one knows schema %s"
              .formatted(version, scripts.size()));
    }
    if (version == scripts.size()) {
      return false;
    }
    for (String each : scripts.get(version)) {
      statement.execute(each);
    }
    statement.execute("INSERT INTO schema_version (version) VALUES (" + (version + 1) + ")");
    return true;
  }

  private static int version(Statement statement) throws SQLException {
    statement.execute(
        "CREATE TABLE IF NOT EXISTS schema_version (version INTEGER NOT NULL PRIMARY KEY)");
    try (ResultSet row = statement.executeQuery("SELECT max(version) FROM schema_version")) {
      row.next();
      return row.getInt(1); // 0 where there is none
    }
  }

  /// Names the database and makes the key of its cookies, unless it has them.
  private boolean addMeta(Statement statement) throws SQLException {
    try (PreparedStatement insert =
        statement
            .getConnection()
            .prepareStatement(
                "INSERT INTO meta (name, content) VALUES (?, ?) ON CONFLICT (name) DO NOTHING")) {
      SecureRandom random = new SecureRandom();
      insertRandom(insert, "epoch", random, EPOCH_BYTES);
      insertRandom(insert, "cookie-key", random, COOKIE_KEY_BYTES);
    }
    return true;
  }

  private static void insertRandom(
      PreparedStatement insert, String name, SecureRandom random, int sizeBytes)
      throws SQLException {
    byte[] bytes = new byte[sizeBytes];
    random.nextBytes(bytes);
    insert.setString(1, name);
    insert.setString(2, HexFormat.of().formatHex(bytes));
    insert.executeUpdate();
  }
}
