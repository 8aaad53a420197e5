package dev.replistream.db;

import java.util.Optional;

/// Where the data are kept.
///
/// @param url a JDBC URL: `jdbc:sqlite:` and the path of a file, or `jdbc:postgresql:` and the rest
///   as PostgreSQL's driver knows it
/// @param user PostgreSQL's user
/// @param password its password
/// @param poolSize how many connections are held to PostgreSQL
/// @param urlKey the setting that says where it is, which is that of the data directory where no
///   URL was given
public record DbSettings(
    String url, Optional<String> user, Optional<String> password, int poolSize, String urlKey) {
  private static final String URL_KEY = "replistream.db.url";

  /// Those of a URL that was given.
  public DbSettings(String url, Optional<String> user, Optional<String> password, int poolSize) {
    this(url, user, password, poolSize, URL_KEY);
  }

  /// Whether several nodes can share it.
  public boolean isPostgres() {
    return url.startsWith(PostgresServer.SCHEME);
  }

  /// Where it is, without what may be a password: the path of the file, or the server and the name.
  public String place() {
    return url.replaceFirst("^jdbc:(sqlite:)?", "")
        .replaceFirst("\\?.*", "")
        .replaceFirst("//.*@", "//");
  }

  /// Only the kind of database: a URL may hold a password too.
  @Override
  public String toString() {
    return url.startsWith(SqliteFile.SCHEME) ? "sqlite" : "postgresql";
  }
}
