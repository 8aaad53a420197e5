package dev.replistream.sync;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.replistream.api.Id;
import dev.replistream.api.JsonValue;
import dev.replistream.data.RoomSettings;
import dev.replistream.http.BodyPrefix;
import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import dev.replistream.json.JsonText;
import dev.replistream.rules.MutatorRegistry;
import io.helidon.http.Status;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads the body of one push or pull while it comes in, its keys in any order; unknown keys are
/// skipped. The version may come last, so what is wrong elsewhere counts only at the end: a body of
/// another version is answered as such, however it looks. Confined to the request's thread.
final class RequestReader {
  /// How many mutations of a push are read. The client sends all it has at once; a hundred thousand
  /// take a person years, and fill a body of the default limit.
  static final int MAX_MUTATIONS = 100_000;

  private static final String AN_ID = "a string of 1 to 128 characters without control characters";

  /// 2^53 - 1, in JavaScript the last whole number without a double.
  private static final long MAX_ID = 9007199254740991L;

  private static final int MAX_ID_DIGITS = 16;

  private static final String VERSION = "1";

  /// How many spaces a cookie may name: those of a user in the most rooms, and the private one.
  private static final int MAX_SPACES = RoomSettings.MOST_PER_USER + 1;

  private final JsonParser parser;
  private final List<Mutation> mutations = new ArrayList<>();
  private String profileID = "";
  private String clientGroupID = "";
  private String schemaVersion = "";
  private String version = "";
  private JsonValue cookie = JsonValue.ofNull();
  private boolean hasMutations;
  private boolean isCut;
  private @Nullable ProblemException problem;

  // most mutations of a push share them
  private String lastClientID = "";
  private String lastName = "";

  private RequestReader(JsonParser parser) {
    this.parser = parser;
  }

  /// Reads a push, or the mutations of one which come before the body's limit.
  ///
  /// The client can't send less than all it has, and sends again what is refused: so what can be
  /// applied of a push that is too large is taken, and a mutation that is too large to be applied
  /// ever is taken as a faulty one. The client writes the version behind the mutations; a push that
  /// ends before it is taken for one of version 1, as older ones name no client group.
  ///
  /// @param parser at the body's first token
  /// @param maxArgsLength how many characters a mutation's arguments may have
  /// @throws ProblemException 400 when the body is not as it must be, 413 when not even one
  ///   mutation comes before the limit
  static PushBody push(JsonParser parser, BodyPrefix body, int maxArgsLength) throws IOException {
    RequestReader reader = new RequestReader(parser);
    try {
      reader.readBody("pushVersion", "mutations", () -> reader.readMutations(body, maxArgsLength));
    } catch (ProblemException e) {
      if (!body.isOver() || !reader.hasPrefix()) {
        throw e;
      }
      reader.isCut = true;
      reader.version = reader.version.isEmpty() ? VERSION : reader.version;
    }
    if (!reader.hasMutations) {
      reader.wrong("mutations must be an array");
    }
    return reader.speaks("pushVersion")
        ? new PushRequest(
            reader.profileID,
            reader.clientGroupID,
            reader.schemaVersion,
            reader.mutations,
            reader.isCut)
        : new VersionNotSupported(VersionNotSupported.Type.PUSH);
  }

  /// Whether there are mutations, and it is known whose they are.
  private boolean hasPrefix() {
    return !mutations.isEmpty() && !profileID.isEmpty() && !clientGroupID.isEmpty();
  }

  /// Reads a pull.
  ///
  /// @param parser at the body's first token
  /// @throws ProblemException 400 when the body is not as it must be
  static PullBody pull(JsonParser parser) throws IOException {
    RequestReader reader = new RequestReader(parser);
    reader.readBody("pullVersion", "cookie", () -> reader.cookie = reader.readCookie());
    return reader.speaks("pullVersion")
        ? new PullRequest(
            reader.profileID, reader.clientGroupID, reader.schemaVersion, reader.cookie)
        : new VersionNotSupported(VersionNotSupported.Type.PULL);
  }

  /// Reads the value at which the parser is.
  @FunctionalInterface
  private interface Content {
    void read() throws IOException;
  }

  private void readBody(String versionName, String contentName, Content content)
      throws IOException {
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
        default -> {
          if (name.equals(versionName)) {
            version = number();
          } else if (name.equals(contentName)) {
            content.read();
          } else {
            parser.skipChildren();
          }
        }
      }
    }
  }

  /// Whether the body is of the version that is spoken here, and then right.
  private boolean speaks(String versionName) {
    if (version.isEmpty()) {
      wrong(versionName + " must be a number");
    } else if (!version.equals(VERSION)) {
      return false;
    }
    if (!Id.isValid(profileID)) {
      wrong("profileID must be " + AN_ID);
    }
    if (!Id.isValid(clientGroupID)) {
      wrong("clientGroupID must be " + AN_ID);
    }
    if (schemaVersion.length() > SyncSettings.MAX_SCHEMA_VERSION_LENGTH) {
      wrong(
          "schemaVersion must have at most "
              + SyncSettings.MAX_SCHEMA_VERSION_LENGTH
              + " characters");
    }
    if (problem != null) {
      throw problem;
    }
    return true;
  }

  /// Reads a cookie as far as it is of the form that this server gives out. What a client holds
  /// from elsewhere says nothing but its order, and may be very large: nothing else of it is kept.
  private JsonValue readCookie() throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      return scalar();
    }
    Map<String, JsonValue> members = new LinkedHashMap<>();
    boolean isOurs = true;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      switch (name) {
        case "order", "epoch", "group", "acked", "mac" -> members.put(name, scalar());
        case "spaces" -> {
          Optional<JsonValue> spaces = readSpaces();
          isOurs = spaces.isPresent();
          spaces.ifPresent(read -> members.put(name, read));
        }
        default -> parser.skipChildren();
      }
    }
    if (!isOurs) {
      members.keySet().retainAll(Set.of("order"));
    }
    return JsonValue.object(members);
  }

  /// The versions of spaces in a cookie; empty where there are more than any user has.
  private Optional<JsonValue> readSpaces() throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      return Optional.of(scalar());
    }
    Map<String, JsonValue> spaces = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String id = parser.currentName();
      parser.nextToken();
      JsonValue version = scalar();
      if (spaces.size() <= MAX_SPACES) {
        spaces.put(id, version);
      }
    }
    return spaces.size() <= MAX_SPACES ? Optional.of(JsonValue.object(spaces)) : Optional.empty();
  }

  /// A value that is no array and no object, JSON null where it is one.
  private JsonValue scalar() throws IOException {
    if (parser.currentToken().isStructStart()) {
      parser.skipChildren();
      return JsonValue.ofNull();
    }
    return JsonValue.read(parser);
  }

  private void readMutations(BodyPrefix body, int maxArgsLength) throws IOException {
    mutations.clear();
    isCut = false;
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      parser.skipChildren();
      return;
    }
    hasMutations = true;
    for (int index = 0; parser.nextToken() != JsonToken.END_ARRAY; index++) {
      if (index == 0) {
        body.allowExcess();
      }
      if (index < MAX_MUTATIONS) {
        readMutation("mutations[" + index + "]", body, maxArgsLength);
      } else {
        isCut = true;
        parser.skipChildren();
      }
      if (body.isOver()) {
        throw body.tooLarge();
      }
      body.endAtLimit();
    }
  }

  private void readMutation(String path, BodyPrefix body, int maxArgsLength) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      wrong(path + " must be an object");
      parser.skipChildren();
      return;
    }
    long id = 0;
    String clientID = "";
    @Nullable String name = null;
    JsonText args = JsonText.NULL;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String member = parser.currentName();
      parser.nextToken();
      switch (member) {
        case "id" -> id = id();
        case "clientID" -> clientID = text(path + ".clientID");
        case "name" -> name = text(path + ".name");
        case "args" -> args = JsonText.read(parser, maxArgsLength, () -> !body.isOver());
        default -> parser.skipChildren();
      }
    }
    if (id == 0) {
      wrong(path + ".id must be a whole number from 1 to " + MAX_ID);
    }
    if (!Id.isValid(clientID)) {
      wrong(path + ".clientID must be " + AN_ID);
    }
    if (name == null) {
      wrong(path + ".name must be a string");
    } else if (problem == null) {
      lastClientID = clientID.equals(lastClientID) ? lastClientID : clientID;
      lastName = name.equals(lastName) ? lastName : name;
      mutations.add(mutation(id, lastClientID, lastName, args, body));
    }
  }

  private static Mutation mutation(
      long id, String clientID, String name, JsonText args, BodyPrefix body) {
    if (body.isOver()) {
      return Mutation.faulty(id, clientID, name, Mutation.Fault.TOO_LARGE);
    }
    if (name.length() > MutatorRegistry.MAX_NAME_LENGTH) {
      return Mutation.faulty(id, clientID, name, Mutation.Fault.NAME_TOO_LONG);
    }
    Mutation.Fault fault =
        args.isTooLong() ? Mutation.Fault.ARGUMENTS_TOO_LONG : Mutation.Fault.ARGUMENTS_TOO_DEEP;
    return args.text()
        .map(text -> new Mutation(id, clientID, name, text))
        .orElseGet(() -> Mutation.faulty(id, clientID, name, fault));
  }

  /// A number as it was written, "" when there is something else.
  private String number() throws IOException {
    if (parser.currentToken().isNumeric()) {
      return parser.getText();
    }
    parser.skipChildren();
    return "";
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
    if (problem == null) {
      problem = Problem.of(Status.BAD_REQUEST_400, what + ".").toException();
    }
  }
}
