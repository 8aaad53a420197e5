package dev.replistream.sync;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.replistream.auth.Caller;
import dev.replistream.http.Json;
import dev.replistream.http.JsonValue;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import io.helidon.http.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads the body of one push or pull while it comes in, its keys in any order; unknown keys are
/// skipped. The version may come last, so what is wrong elsewhere counts only at the end: a body of
/// another version is answered as such, however it looks. Confined to the request's thread.
final class RequestReader {
  /// How many mutations a push may have. The client sends all it has at once; a hundred thousand
  /// take a person years, and fill a body of the default limit.
  static final int MAX_MUTATIONS = 100_000;

  /// How long a schema version may be: a hash fits.
  private static final int MAX_SCHEMA_VERSION_LENGTH = 128;

  private static final String AN_ID = "a string of 1 to 128 characters without control characters";

  /// 2^53 - 1, in JavaScript the last whole number without a double.
  private static final long MAX_ID = 9007199254740991L;

  private static final int MAX_ID_DIGITS = 16;

  private static final JsonValue VERSION = JsonValue.of(1);

  private final JsonParser parser;
  private final List<Mutation> mutations = new ArrayList<>();
  private String profileID = "";
  private String clientGroupID = "";
  private String schemaVersion = "";
  private JsonValue version = JsonValue.ofNull();
  private JsonValue cookie = JsonValue.ofNull();
  private boolean hasMutations;
  private @Nullable ProblemException problem;

  private RequestReader(JsonParser parser) {
    this.parser = parser;
  }

  /// Reads a push.
  ///
  /// @param parser at the body's first token
  /// @throws ProblemException 400 when the body is not as it must be, 413 when it has too many
  ///   mutations
  static PushBody push(JsonParser parser) throws IOException {
    RequestReader reader = new RequestReader(parser);
    reader.readBody("pushVersion");
    if (!reader.hasMutations) {
      reader.wrong("mutations must be an array");
    }
    return reader.speaks("pushVersion")
        ? new PushRequest(
            reader.profileID, reader.clientGroupID, reader.schemaVersion, reader.mutations)
        : new VersionNotSupported(VersionNotSupported.Type.PUSH);
  }

  /// Reads a pull.
  ///
  /// @param parser at the body's first token
  /// @throws ProblemException 400 when the body is not as it must be
  static PullBody pull(JsonParser parser) throws IOException {
    RequestReader reader = new RequestReader(parser);
    reader.readBody("pullVersion");
    return reader.speaks("pullVersion")
        ? new PullRequest(
            reader.profileID, reader.clientGroupID, reader.schemaVersion, reader.cookie)
        : new VersionNotSupported(VersionNotSupported.Type.PULL);
  }

  private void readBody(String versionName) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw Problem.of(Status.BAD_REQUEST_400, "The body must be an object.").toException();
    }
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "profileID" -> profileID = text(name);
        case "clientGroupID" -> clientGroupID = text(name);
        case "schemaVersion" -> schemaVersion = text(name);
        case "cookie" -> cookie = JsonValue.read(parser);
        case "mutations" -> readMutations();
        default -> {
          if (name.equals(versionName)) {
            version = JsonValue.read(parser);
          } else {
            parser.skipChildren();
          }
        }
      }
    }
  }

  /// Whether the body is of the version that is spoken here, and then right.
  private boolean speaks(String versionName) {
    if (!(version instanceof JsonValue.Num)) {
      wrong(versionName + " must be a number");
    } else if (!version.equals(VERSION)) {
      return false;
    }
    if (!Caller.isUserId(profileID)) {
      wrong("profileID must be " + AN_ID);
    }
    if (!Caller.isUserId(clientGroupID)) {
      wrong("clientGroupID must be " + AN_ID);
    }
    if (schemaVersion.length() > MAX_SCHEMA_VERSION_LENGTH) {
      wrong("schemaVersion must have at most " + MAX_SCHEMA_VERSION_LENGTH + " characters");
    }
    if (problem != null) {
      throw problem;
    }
    return true;
  }

  private void readMutations() throws IOException {
    mutations.clear();
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      parser.skipChildren();
      return;
    }
    hasMutations = true;
    for (int index = 0; parser.nextToken() != JsonToken.END_ARRAY; index++) {
      if (index == MAX_MUTATIONS) {
        wrong(
            Problem.of(
                Status.REQUEST_ENTITY_TOO_LARGE_413,
                "The push has more than " + MAX_MUTATIONS + " mutations."));
      }
      readMutation("mutations[" + index + "]");
    }
  }

  private void readMutation(String path) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      wrong(path + " must be an object");
      parser.skipChildren();
      return;
    }
    long id = 0;
    String clientID = "";
    String name = "";
    String args = "null";
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String member = parser.currentName();
      parser.nextToken();
      switch (member) {
        case "id" -> id = id();
        case "clientID" -> clientID = text(path + ".clientID");
        case "name" -> name = text(path + ".name");
        case "args" -> args = Json.text(parser);
        default -> parser.skipChildren();
      }
    }
    if (id == 0) {
      wrong(path + ".id must be a whole number from 1 to " + MAX_ID);
    }
    if (!Caller.isUserId(clientID)) {
      wrong(path + ".clientID must be " + AN_ID);
    }
    if (name.isEmpty() || name.length() > Mutation.MAX_NAME_LENGTH) {
      wrong(path + ".name must be a string of 1 to " + Mutation.MAX_NAME_LENGTH + " characters");
    }
    if (problem == null) {
      mutations.add(new Mutation(id, clientID, name, args));
    }
  }

  /// The number of a mutation, 0 when there is something else.
  private long id() throws IOException {
    if (parser.currentToken() != JsonToken.VALUE_NUMBER_INT) {
      parser.skipChildren();
      return 0;
    }
    String text = parser.getText();
    long id = text.length() > MAX_ID_DIGITS ? 0 : Long.parseLong(text);
    return id >= 1 && id <= MAX_ID ? id : 0;
  }

  /// A string, "" when there is something else.
  private String text(String path) throws IOException {
    if (parser.currentToken() == JsonToken.VALUE_STRING) {
      return parser.getText();
    }
    wrong(path + " must be a string");
    parser.skipChildren();
    return "";
  }

  private void wrong(String what) {
    wrong(Problem.of(Status.BAD_REQUEST_400, what + "."));
  }

  private void wrong(Problem what) {
    if (problem == null) {
      problem = what.toException();
    }
  }
}
