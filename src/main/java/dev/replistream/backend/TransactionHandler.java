package dev.replistream.backend;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.Caller;
import dev.replistream.data.Spaces;
import dev.replistream.data.Transactions;
import dev.replistream.db.Session;
import dev.replistream.http.Bodies;
import dev.replistream.http.ProblemException;
import dev.replistream.json.Json;
import dev.replistream.poke.PokeBus;
import dev.replistream.rules.Op;
import dev.replistream.rules.OpReader;
import io.helidon.http.Status;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.io.IOException;
import java.sql.SQLException;
import java.time.Clock;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// `POST /transactions`: changes of entries and rooms, all or none of them, if what the caller has
/// read is still so. Thread-safe.
public final class TransactionHandler implements Handler {
  private final Authenticator authenticator;
  private final Transactions transactions;
  private final Bodies bodies;
  private final WriteLimits limits;
  private final OpReader reader;
  private final Clock clock;

  /// @param bodies how much of a body is read
  public TransactionHandler(
      Authenticator authenticator,
      Transactions transactions,
      Bodies bodies,
      WriteLimits limits,
      Clock clock) {
    this.authenticator = authenticator;
    this.transactions = transactions;
    this.bodies = bodies;
    this.limits = limits;
    this.clock = clock;
    reader = new OpReader(limits.maxValueBytes(), true);
  }

  /// What is asked for.
  private record Wanted(List<Op.Condition> conditions, List<Op> ops) {}

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    Caller caller = authenticator.caller(request);
    Access.requireWriter(caller, "A transaction");
    try (Bodies.Body body = bodies.open(request, caller.userId())) {
      byte[] bytes = body.readAll();
      Idempotency idempotency = Idempotency.of(request, caller, bytes);
      Wanted wanted = wanted(bytes);
      Instant now = clock.instant();
      Idempotency.Answer answer =
          Access.orProblem(() ->
              transactions.change(
                  caller.userId(),
                  PokeBus.Source.SERVICE,
                  (session, spaces) ->
                      idempotency.run(
                          session, spaces, now, () -> run(caller, wanted, session, spaces, now))));
      answer.send(response);
    }
  }

  private Idempotency.Answer run(
      Caller caller, Wanted wanted, Session session, Spaces spaces, Instant now)
      throws SQLException {
    OpWriter ops = new OpWriter(caller.userId(), session, spaces, limits, now);
    spaces.beginLine();
    ops.require(wanted.conditions);
    ops.apply(wanted.ops);
    if (spaces.isJournaled()) {
      spaces.note(OpLine.of(caller.userId(), wanted.ops, spaces, now));
    }
    Map<String, Long> versions = new TreeMap<>(Spaces.PRECEDENCE);
    for (String space : spaces.raised()) {
      versions.put(space, spaces.raise(space));
    }
    return new Idempotency.Answer(Status.OK_200, answer(versions));
  }

  private static byte[] answer(Map<String, Long> versions) {
    return Json.write(json -> {
      json.writeStartObject();
      json.writeBooleanField("applied", true);
      json.writeFieldName("versions");
      Spaces.writeVersions(json, versions);
      json.writeEndObject();
    });
  }

  private Wanted wanted(byte[] body) {
    try {
      return Bodies.parseLong(body, this::wanted);
    } catch (OpReader.BadOpException e) {
      throw Access.bad(e.getMessage() + ".");
    }
  }

  private Wanted wanted(JsonParser parser) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw needs();
    }
    @Nullable List<Op.Condition> conditions = null;
    @Nullable List<Op> ops = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals("ops") && ops == null) {
        ops = reader.ops(parser, name);
      } else if (name.equals("if") && conditions == null) {
        conditions = reader.conditions(parser, name);
      } else {
        throw needs();
      }
    }
    if (ops == null) {
      throw needs();
    }
    return new Wanted(conditions == null ? new ArrayList<>() : conditions, ops);
  }

  private static ProblemException needs() {
    return Access.bad("The body is a JSON object with ops, and if, where something has to hold.");
  }
}
