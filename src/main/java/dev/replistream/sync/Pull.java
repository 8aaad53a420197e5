package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.Session;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;

/// Replicache's pull (doc.replicache.dev/reference/server-pull): what changed in a user's client
/// view since a cookie, as of one snapshot. It writes nothing. Thread-safe.
public final class Pull {
  private final Database database;
  private final SyncMetrics metrics;
  private final String epoch;
  private final Cookies cookies;

  /// Reads from the database by what cookies are known.
  ///
  /// @throws dev.replistream.db.DatabaseUnavailableException when it does not answer
  public Pull(Database database, SyncMetrics metrics) {
    this.database = database;
    this.metrics = metrics;
    epoch = database.inSnapshot(session -> meta(session, "epoch"));
    cookies =
        new Cookies(
            HexFormat.of().parseHex(database.inSnapshot(session -> meta(session, "cookie-key"))));
  }

  private static String meta(Session session, String name) throws SQLException {
    PreparedStatement select = session.prepare("SELECT content FROM meta WHERE name = ?");
    select.setString(1, name);
    try (ResultSet row = select.executeQuery()) {
      if (!row.next()) {
        throw new IllegalStateException("the database has no " + name);
      }
      return row.getString(1);
    }
  }

  /// Writes the answer to a pull into `chunks`, and ends them, however that goes.
  void answer(String userId, PullRequest request, Chunks chunks) {
    try {
      PullAnswer.Summary summary =
          database.inSnapshot(session -> {
            chunks.begin();
            return new PullAnswer(session, userId, epoch, cookies).write(request, chunks);
          });
      metrics.pulled(summary.kind(), summary.rows());
      chunks.end();
    } catch (RuntimeException thrown) { // the request's thread throws it on
      chunks.fail(thrown);
    } catch (Error thrown) {
      chunks.fail(thrown);
    }
  }
}
