package dev.replistream.sync;

import dev.replistream.db.Database;
import dev.replistream.db.Session;
import dev.replistream.http.Problem;
import dev.replistream.sync.ClientStore.Group;
import dev.replistream.sync.ViewStore.Space;
import io.helidon.http.Status;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.util.HexFormat;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

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

  /// What a pull is answered with.
  enum Kind {
    /// The cookie that the client has.
    UNCHANGED,
    /// The changes since its cookie.
    DELTA,
    /// Everything.
    FULL,
    /// That its records are lost.
    LOST
  }

  /// @param rows how many operations the patch has
  private record Answer(Kind kind, long rows) {}

  /// Writes the answer to a pull into `chunks`, and ends them, however that goes.
  void answer(String userId, PullRequest request, Chunks chunks) {
    try {
      Answer answer =
          database.inSnapshot(session -> {
            chunks.begin();
            return answer(session, userId, request, chunks);
          });
      metrics.pulled(answer.kind, answer.rows);
      chunks.end();
    } catch (RuntimeException thrown) { // the request's thread throws it on
      chunks.fail(thrown);
    } catch (Error thrown) {
      chunks.fail(thrown);
    }
  }

  private Answer answer(Session session, String userId, PullRequest request, OutputStream out)
      throws SQLException {
    // 1: the client group and its owner; one that is not there has pushed nothing yet
    ClientStore clients = new ClientStore(session);
    Optional<Group> group = clients.group(request.clientGroupID());
    if (group.isPresent() && !group.get().userId().equals(userId)) {
      throw Problem.of(Status.FORBIDDEN_403, "The client group belongs to somebody else.")
          .toException();
    }
    long acked = group.map(Group::version).orElse(0L);

    // 2: the spaces that the user may read, with their versions
    ViewStore views = new ViewStore(session);
    NavigableMap<String, Space> readable = views.readable(userId);
    Map<String, Long> versions = new TreeMap<>();
    readable.forEach((id, space) -> versions.put(id, space.version()));

    // 3: nothing changed
    HeldCookie held = cookies.read(userId, request.cookie());
    boolean isOfEpoch = held instanceof Cookie cookie && cookie.epoch().equals(epoch);
    long known =
        held instanceof Cookie cookie && isOfEpoch && cookie.group().equals(request.clientGroupID())
            ? cookie.acked()
            : 0;
    if (known > acked) {
      return lost(out);
    }
    if (isOfEpoch
        && held instanceof Cookie cookie
        && known == acked
        && cookie.spaces().equals(versions)) {
      PullWriter writer = new PullWriter(out, request.cookie(), Map.of());
      writer.end();
      return new Answer(Kind.UNCHANGED, 0);
    }

    // 4 and 5: the changed keys and what wins for each; 6: the acknowledgements
    Map<String, Long> acknowledged =
        group.isPresent() ? clients.lastMutationIDs(group.get(), known) : Map.of();
    Cookie next = new Cookie(held.order().next(), epoch, request.clientGroupID(), acked, versions);
    PullWriter writer = new PullWriter(out, cookies.sign(userId, next), acknowledged);
    boolean isDelta =
        isOfEpoch
            && held instanceof Cookie cookie
            && new Delta(views, userId, readable, writer).write(cookie.spaces());
    if (!isDelta) {
      writer.clear();
      // the space that wins comes last: where a key stands in several its put is what stays
      for (String space : readable.descendingKeySet()) {
        views.entries(space, writer::put);
      }
    }
    writer.end();
    return new Answer(isDelta ? Kind.DELTA : Kind.FULL, writer.operations());
  }

  /// The client has acknowledgements that the database does not know of: it was set back. To send
  /// older ones would not help, as the client refuses them for ever.
  private static Answer lost(OutputStream out) {
    try {
      out.write(ClientStateNotFound.toJson());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Answer(Kind.LOST, 0);
  }
}
