package dev.replistream.sync;

import dev.replistream.data.ClientStore;
import dev.replistream.data.ClientStore.Group;
import dev.replistream.data.Spaces;
import dev.replistream.db.Session;
import dev.replistream.http.Problem;
import dev.replistream.sync.ViewStore.Space;
import io.helidon.http.Status;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.sql.SQLException;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;

/// The answer to one pull, as of one snapshot. Confined to the snapshot of its {@link Session}.
final class PullAnswer {
  private final ClientStore clients;
  private final ViewStore views;
  private final String userId;
  private final Cookies cookies;

  /// @param userId who pulls
  PullAnswer(Session session, String userId, Cookies cookies) {
    this.userId = userId;
    this.cookies = cookies;
    clients = new ClientStore(session, new Spaces(session));
    views = new ViewStore(session);
  }

  /// What a pull is answered with.
  enum Kind {
    /// The cookie that the client has.
    UNCHANGED,
    /// The changes since its cookie.
    DELTA,
    /// Everything.
    FULL,
    /// That its records are lost: with a restore, by what is known of it.
    LOST,
    /// The same, and nobody has told of a restore: its cookie is of this very epoch, and ahead.
    SET_BACK
  }

  /// What was answered.
  ///
  /// @param rows how many operations the patch has
  record Summary(Kind kind, long rows) {}

  /// Writes the answer.
  ///
  /// @throws dev.replistream.http.ProblemException 403 when the client group is another user's
  Summary write(PullRequest request, OutputStream out) throws SQLException {
    // 1: the client group and its owner; one that is not known has pushed nothing yet
    ClientStore.Present present = clients.group(request.clientGroupID());
    String epoch = present.epoch();
    Optional<Group> group = present.group();
    if (group.isPresent() && !group.get().userId().equals(userId)) {
      throw Problem.of(Status.FORBIDDEN_403, "The client group belongs to somebody else.")
          .toException();
    }
    long acked = group.map(Group::version).orElse(0L);

    // 2: the spaces that the user may read, with their versions
    NavigableMap<String, Space> readable = views.readable(userId);
    Map<String, Long> versions = new TreeMap<>();
    readable.forEach((id, space) -> versions.put(id, space.version()));

    // 3: nothing changed
    HeldCookie sent = cookies.read(userId, request.cookie());
    Optional<Cookie> signed =
        sent instanceof Cookie cookie ? Optional.of(cookie) : Optional.empty();
    Optional<Cookie> held = signed.filter(cookie -> cookie.epoch().equals(epoch));
    long ackedBefore = ackedBefore(signed, request);
    if (held.isPresent() && ackedBefore == acked && held.get().spaces().equals(versions)) {
      new PullWriter(out, request.cookie(), Map.of()).end();
      return new Summary(Kind.UNCHANGED, 0);
    }

    // or the client is ahead: it knows of acknowledgements that were lost, or of writes
    boolean isAhead = ackedBefore > 0 && held.isPresent() && isAhead(held.get(), versions);
    if (held.isPresent() && (ackedBefore > acked || isAhead)) {
      return lost(out, Kind.SET_BACK);
    }
    if (held.isEmpty() && ackedBefore > ackedIn(signed, group)) {
      return lost(out, Kind.LOST);
    }

    // 4: the changed keys, where the cookie tells them; 5: what wins for each; 6: what was
    // acknowledged since the cookie, or all of it
    Delta delta = new Delta(views, userId, readable);
    Optional<Cookie> base =
        held.isPresent() && delta.fits(held.get().spaces()) ? held : Optional.empty();
    Map<String, Long> acknowledged =
        group.isPresent()
            ? clients.lastMutationIDs(group.get(), ackedBefore(base, request))
            : Map.of();
    Cookie next =
        new Cookie(CookieOrder.Count.NONE, epoch, request.clientGroupID(), acked, versions)
            .after(sent);
    PullWriter writer = new PullWriter(out, cookies.sign(userId, next), acknowledged);
    boolean isDelta = base.isPresent() && delta.write(base.get().spaces(), writer);
    if (!isDelta) {
      writeAll(readable, writer);
    }
    writer.end();
    return new Summary(isDelta ? Kind.DELTA : Kind.FULL, writer.operations());
  }

  /// Up to which version of the group the client knows its acknowledgements: not at all where
  /// another group earned the cookie.
  private static long ackedBefore(Optional<Cookie> cookie, PullRequest request) {
    return cookie
        .filter(each -> each.group().equals(request.clientGroupID()))
        .map(Cookie::acked)
        .orElse(0L);
  }

  /// Up to which version of the group the acknowledgements of the cookie's epoch, which is not the
  /// database's, are true here.
  private long ackedIn(Optional<Cookie> cookie, Optional<Group> group) throws SQLException {
    return cookie.isPresent() && group.isPresent()
        ? clients.versionIn(cookie.get().epoch(), group.get())
        : 0;
  }

  /// Whether a cookie of this epoch tells of later writes than there are.
  private static boolean isAhead(Cookie cookie, Map<String, Long> versions) {
    return cookie.spaces().entrySet().stream()
        .anyMatch(held -> held.getValue() > versions.getOrDefault(held.getKey(), held.getValue()));
  }

  /// Writes the whole view. The space that wins comes last: where a key stands in several, its put
  /// is the one that stays.
  private void writeAll(NavigableMap<String, Space> readable, PullWriter writer)
      throws SQLException {
    writer.clear();
    for (String space : readable.descendingKeySet()) {
      views.entries(space, writer::put);
    }
  }

  /// The client has acknowledgements that the database does not know: it was set back. Older ones
  /// would not help, as the client refuses them for ever.
  private static Summary lost(OutputStream out, Kind kind) {
    try {
      out.write(ClientStateNotFound.toJson());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    return new Summary(kind, 0);
  }
}
