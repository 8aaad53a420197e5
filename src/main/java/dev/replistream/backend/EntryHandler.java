package dev.replistream.backend;

import dev.replistream.api.Key;
import dev.replistream.api.Scan;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.EntryReader;
import dev.replistream.data.Spaces;
import dev.replistream.data.Transactions;
import dev.replistream.data.TreeLimit;
import dev.replistream.db.Database;
import dev.replistream.db.Session;
import dev.replistream.http.Bodies;
import dev.replistream.http.LongAnswers;
import dev.replistream.http.MediaTypes;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.http.ReadTurns;
import dev.replistream.http.Routes;
import dev.replistream.json.JsonText;
import dev.replistream.poke.PokeBus;
import dev.replistream.rules.Op;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Function;

/// The routes below `/rooms/{room}/entries` and `/users/{userId}/entries`, and `…/changes`.
/// Thread-safe.
public final class EntryHandler {
  private static final int USUAL_PAGE = 1_000;
  private static final int LARGEST_PAGE = 10_000;

  /// A page ends after the entry that makes it longer.
  private static final long PAGE_BYTES = 4 << 20;

  private static final String WRITING = "Writing entries past the rules";

  private final Authenticator authenticator;
  private final Database database;
  private final Transactions transactions;
  private final LongAnswers answers;
  private final ReadTurns turns;
  private final Bodies bodies;
  private final WriteLimits limits;
  private final Clock clock;

  /// @param turns of those who read much
  /// @param bodies how much of a body is read
  public EntryHandler(
      Authenticator authenticator,
      Database database,
      Transactions transactions,
      LongAnswers answers,
      ReadTurns turns,
      Bodies bodies,
      WriteLimits limits,
      Clock clock) {
    this.authenticator = authenticator;
    this.database = database;
    this.transactions = transactions;
    this.answers = answers;
    this.turns = turns;
    this.bodies = bodies;
    this.limits = limits;
    this.clock = clock;
  }

  /// `GET …/entries`: a page of them, or all of them as lines.
  public void list(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Access.Target target = Access.Target.of(request);
    Query query = Query.of(request, "prefix", "start", "limit");
    EntryForm form = EntryForm.of(request);
    Scan all = Scan.prefix(query.text("prefix").orElse(""));
    Scan scan = query.text("start").map(all::from).orElse(all);
    OptionalLong given =
        query.number("limit", 1, form == EntryForm.LINES ? Integer.MAX_VALUE : LARGEST_PAGE);
    int limit = (int) given.orElse(form == EntryForm.LINES ? Integer.MAX_VALUE : USUAL_PAGE);
    send(
        caller,
        target,
        form,
        (session, _, writer) -> {
          EntryReader reader = new EntryReader(session);
          writer.begin(reader.state(target.space()).version());
          reader.entries(
              target.space(),
              scan.keys(),
              limit == Integer.MAX_VALUE ? limit : limit + 1,
              new Page(writer, form, limit));
          writer.end();
        },
        request,
        response);
  }

  /// Writes entries up to a number, and of an object up to a length, and says where the next page
  /// begins.
  private static final class Page implements EntryReader.Visitor {
    private final EntryWriter writer;
    private final long maxBytes;
    private final int limit;
    private int entries;
    private long bytes;

    Page(EntryWriter writer, EntryForm form, int limit) {
      this.writer = writer;
      this.maxBytes = form == EntryForm.LINES ? Long.MAX_VALUE : PAGE_BYTES;
      this.limit = limit;
    }

    @Override
    public boolean visit(Key key, EntryReader.Entry entry) {
      if (entries == limit || bytes >= maxBytes) {
        writer.next(key);
        return false;
      }
      writer.entry(key, entry);
      entries++;
      bytes += key.bytes().length + entry.value().length;
      return true;
    }
  }

  /// `GET …/changes`: what was written and deleted since a version.
  public void changes(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Access.Target target = Access.Target.of(request);
    Query query = Query.of(request, "since");
    long since =
        query
            .number("since", 0, Query.MOST)
            .orElseThrow(
                () -> Access.bad("since is the version that you have, and 0 where you have none."));
    String space = target.space();
    send(
        caller,
        target,
        EntryForm.of(request),
        (session, memberSince, writer) -> {
          EntryReader reader = new EntryReader(session);
          long version = requireKnown(space, since, memberSince, reader);
          writer.begin(version);
          reader.changed(
              space,
              since,
              (key, entry) -> {
                writer.entry(key, entry);
                return true;
              });
          writer.deleted();
          reader.deleted(space, since, writer::deleted);
          writer.end();
        },
        request,
        response);
  }

  /// Refuses a version of which it is not known any more what was deleted after it, or not to be
  /// told: a member hears of nothing that was gone before they came.
  ///
  /// @param memberSince since when the reader is a member; empty where it makes no difference
  /// @return the version of the space
  private static long requireKnown(
      String space, long since, Optional<Instant> memberSince, EntryReader reader)
      throws SQLException {
    EntryReader.State state = reader.state(space);
    boolean isKnown =
        since == 0
            || (since >= state.compacted()
                && since <= state.version()
                && (memberSince.isEmpty()
                    || !reader.isDeletedBefore(space, since, memberSince.get())));
    if (!isKnown) {
      throw Problem.of(
              Status.GONE_410,
              "What was deleted since that version is not known any more: read all entries anew.")
          .toException();
    }
    return state.version();
  }

  /// Writes an answer from a snapshot.
  ///
  /// It is told since when the reader is a member, where that makes a difference.
  @FunctionalInterface
  private interface Reading {
    void write(Session session, Optional<Instant> memberSince, EntryWriter writer)
        throws SQLException;
  }

  private void send(
      Caller caller,
      Access.Target target,
      EntryForm form,
      Reading reading,
      ServerRequest request,
      ServerResponse response) {
    AtomicLong version = new AtomicLong();
    Access.orProblem(() -> {
      answers.send(
          caller.userId(),
          form.contentType(),
          chunks ->
              turns.take(
                  caller.userId(),
                  () -> {
                    chunks.requireRoom();
                    return database.inSnapshot(session -> {
                      chunks.begin();
                      Optional<Instant> memberSince =
                          Access.requireReader(caller, target, session, limits.rooms());
                      EntryWriter writer = new EntryWriter(chunks, form, version::set);
                      reading.write(session, memberSince, writer);
                      return writer;
                    });
                  }),
          each -> each.header(HeaderNames.ETAG, EntityTags.of(version.get())),
          request,
          response);
      return target;
    });
  }

  /// `GET …/entries/{key}`: the value itself.
  public void get(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Access.Target target = Access.Target.of(request);
    EntityTags tags = EntityTags.of(request);
    Key key = key(request);
    Optional<EntryReader.Entry> found =
        Access.orProblem(() ->
            database.inSnapshot(session -> {
              Access.requireReader(caller, target, session, limits.rooms());
              return new EntryReader(session).entry(target.space(), key);
            }));
    EntryReader.Entry entry = found.orElseThrow(EntryHandler::noEntry);
    tags.requireMatch(Optional.of(entry.version()));
    response.header(HeaderNames.ETAG, EntityTags.of(entry.version()));
    if (tags.isKnown(entry.version())) {
      response.status(Status.NOT_MODIFIED_304).send();
    } else {
      Routes.sendJson(response, entry.value());
    }
  }

  /// `PUT …/entries/{key}`: 201, or 204 for an entry that was there.
  public void put(ServerRequest request, ServerResponse response) {
    Caller caller = writer(request);
    Key key = OpWriter.key(key(request).text());
    String json = value(request, caller);
    write(
        caller,
        request,
        response,
        place -> new Op.Put(place, key.text(), json),
        (ops, space, before, trees) -> {
          ops.put(space, key, json, trees);
          return before.isPresent() ? Status.NO_CONTENT_204 : Status.CREATED_201;
        });
  }

  /// `PATCH …/entries/{key}` with a JSON Merge Patch (RFC 7396): 204.
  public void patch(ServerRequest request, ServerResponse response) {
    Caller caller = writer(request);
    MediaTypes.require(request, MediaTypes.MERGE_PATCH);
    Key key = OpWriter.key(key(request).text());
    String json = value(request, caller);
    write(
        caller,
        request,
        response,
        place -> new Op.Patch(place, key.text(), json, false),
        (ops, space, _, trees) -> {
          if (!ops.patch(space, key, json, false, trees)) {
            throw noEntry();
          }
          return Status.NO_CONTENT_204;
        });
  }

  /// `DELETE …/entries/{key}`: 204.
  public void delete(ServerRequest request, ServerResponse response) {
    Caller caller = writer(request);
    Key key = key(request);
    write(
        caller,
        request,
        response,
        place -> new Op.Del(place, key.text()),
        (ops, space, _, _) -> {
          if (!ops.delete(space, key)) {
            throw noEntry();
          }
          return Status.NO_CONTENT_204;
        });
  }

  private Caller writer(ServerRequest request) {
    Caller caller = authenticator.caller(request);
    Access.requireWriter(caller, WRITING);
    return caller;
  }

  private static Key key(ServerRequest request) {
    return Key.of(request.path().pathParameters().get("key"));
  }

  private static ProblemException noEntry() {
    return Problem.of(Status.NOT_FOUND_404, "There is no entry of that key.").toException();
  }

  private String value(ServerRequest request, Caller caller) {
    JsonText text;
    try (Bodies.Body body = bodies.open(request, caller.userId())) {
      text = body.read(parser -> JsonText.read(parser, limits.maxValueBytes(), () -> true));
    }
    return text.text()
        .orElseThrow(() ->
            text.isTooLong()
                ? Bodies.tooLarge(limits.maxValueBytes())
                : Access.bad("The value nests deeper than 512."));
  }

  /// Changes one entry of a space that is locked.
  @FunctionalInterface
  private interface Change {
    Status run(OpWriter ops, String space, Optional<Long> before, TreeLimit.Use trees)
        throws SQLException;
  }

  /// What a change did.
  private record Done(Status status, Optional<Long> version) {}

  /// @param op what the journal says of it
  private void write(
      Caller caller,
      ServerRequest request,
      ServerResponse response,
      Function<Op.Place, Op> op,
      Change change) {
    Query.of(request);
    Access.Target target = Access.Target.of(request);
    EntityTags tags = EntityTags.of(request);
    Key key = key(request);
    Done done =
        Access.orProblem(() ->
            transactions.change(
                caller.userId(),
                PokeBus.Source.SERVICE,
                (session, spaces) ->
                    OpWriter.at(
                        "", () -> run(caller, target, key, tags, op, change, session, spaces))));
    done.version.ifPresent(version -> response.header(HeaderNames.ETAG, EntityTags.of(version)));
    response.header(Routes.NO_STORE);
    response.status(done.status).send();
  }

  private Done run(
      Caller caller,
      Access.Target target,
      Key key,
      EntityTags tags,
      Function<Op.Place, Op> op,
      Change change,
      Session session,
      Spaces spaces)
      throws SQLException {
    Instant now = clock.instant();
    OpWriter ops = new OpWriter(caller.userId(), session, spaces, limits, now);
    String space = ops.lock(target);
    Optional<Long> before = ops.version(space, key);
    tags.require(before);
    try (TreeLimit.Use trees = TreeLimit.ofHeap().begin()) {
      Status status = change.run(ops, space, before, trees);
      if (spaces.isJournaled()) {
        spaces.note(OpLine.of(caller.userId(), List.of(op.apply(target.place())), spaces, now));
      }
      return new Done(status, ops.version(space, key));
    }
  }
}
