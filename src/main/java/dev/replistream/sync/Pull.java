package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.Session;
import dev.replistream.http.Chunks;
import dev.replistream.http.ReadTurns;
import dev.replistream.http.TooMuchAtOnceException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.concurrent.atomic.AtomicBoolean;

/// Replicache's pull (doc.replicache.dev/reference/server-pull): what changed in a user's client
/// view since a cookie, as of one snapshot. It writes nothing. Thread-safe.
public final class Pull {
  private static final Logger LOGGER = System.getLogger(Pull.class.getName());

  private static final String SET_BACK =
      "event=database-set-back hint=\"a client has seen what this database has not, so a backup was"
          + " restored; until you stop, run 'replistream restored --late' and start again, clients"
          + " may show what was lost, or be stuck\"";

  private final Database database;
  private final SyncMetrics metrics;
  private final Cookies cookies;
  private final ReadTurns turns = new ReadTurns("pulls");

  /// Logged once, as each of the clients comes with the same.
  private final AtomicBoolean toldOfSetBack = new AtomicBoolean();

  /// Reads from the database by what cookies are known.
  ///
  /// @throws dev.replistream.db.DatabaseUnavailableException when it does not answer
  public Pull(Database database, SyncMetrics metrics) {
    this.database = database;
    this.metrics = metrics;
    cookies = new Cookies(HexFormat.of().parseHex(database.inSnapshot(Pull::cookieKey)));
  }

  private static String cookieKey(Session session) throws SQLException {
    PreparedStatement select =
        session.prepare("SELECT content FROM meta WHERE name = 'cookie-key'");
    try (ResultSet row = select.executeQuery()) {
      if (!row.next()) {
        throw new IllegalStateException("the database has no key of cookies");
      }
      return row.getString(1);
    }
  }

  /// Writes the answer to a pull into `chunks`.
  ///
  /// @throws TooMuchAtOnceException when as much of the user's is under way as may be
  /// @throws dev.replistream.db.DatabaseUnavailableException when the database is away
  void answer(String userId, PullRequest request, Chunks chunks) {
    try {
      PullAnswer.Summary summary =
          turns.take(
              userId,
              () -> {
                chunks.requireRoom();
                return database.inSnapshot(session -> {
                  chunks.begin();
                  return new PullAnswer(session, userId, cookies).write(request, chunks);
                });
              });
      if (summary.kind() == PullAnswer.Kind.SET_BACK && !toldOfSetBack.getAndSet(true)) {
        LOGGER.log(Level.ERROR, SET_BACK);
      }
      metrics.pulled(summary.kind(), summary.rows());
    } catch (TooMuchAtOnceException thrown) {
      metrics.pullRefused();
      throw thrown;
    }
  }
}
