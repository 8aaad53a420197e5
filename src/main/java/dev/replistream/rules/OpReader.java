package dev.replistream.rules;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.replistream.api.Role;
import dev.replistream.json.JsonText;
import dev.replistream.rules.Op.Condition;
import dev.replistream.rules.Op.Place;
import java.io.IOException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Reads the arrays `ops` and `if` of a JSON object, and makes no tree of them. Immutable and
/// thread-safe.
public final class OpReader {
  /// How many ops, and how many conditions, there may be.
  public static final int MAX_OPS = 10_000;

  private static final String OPS =
      "put, patch, del, createRoom, deleteRoom, putMember, removeMember";

  private final int maxValueLength;
  private final boolean takesUsers;

  /// @param maxValueLength how many characters a value may have
  /// @param takesUsers whether an op may name the `user` of a private space, and the `owner` of a
  ///   room
  public OpReader(int maxValueLength, boolean takesUsers) {
    this.maxValueLength = maxValueLength;
    this.takesUsers = takesUsers;
  }

  /// What is wrong in what was read: the message names the place and says what to change, and has
  /// nothing of what was sent.
  public static final class BadOpException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// @param message where and what
    public BadOpException(String message) {
      super(message, null, false, false);
    }
  }

  /// Reads an array of ops whose first token is the parser's current one.
  ///
  /// @param path what it is called
  /// @throws BadOpException when it is anything else
  public List<Op> ops(JsonParser parser, String path) throws IOException {
    List<Op> ops = new ArrayList<>();
    requireArray(parser, path);
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      ops.add(op(parser, next(path, ops)));
    }
    return ops;
  }

  /// Reads an array of conditions whose first token is the parser's current one.
  ///
  /// @param path what it is called
  /// @throws BadOpException when it is anything else
  public List<Condition> conditions(JsonParser parser, String path) throws IOException {
    List<Condition> conditions = new ArrayList<>();
    requireArray(parser, path);
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      conditions.add(condition(parser, next(path, conditions)));
    }
    return conditions;
  }

  private static String next(String path, List<?> before) {
    if (before.size() == MAX_OPS) {
      throw new BadOpException("%s has more than %s elements".formatted(path, MAX_OPS));
    }
    return path + "[" + before.size() + "]";
  }

  private static void requireArray(JsonParser parser, String path) {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw new BadOpException(path + " must be an array");
    }
  }

  private Op op(JsonParser parser, String path) throws IOException {
    Members members = members(parser, path);
    String kind = members.text("op");
    Op op =
        switch (kind) {
          case "put" -> new Op.Put(members.place(), members.text("key"), members.json("value"));
          case "patch" ->
              new Op.Patch(
                  members.place(),
                  members.text("key"),
                  members.json("merge"),
                  members.flag("create"));
          case "del" -> new Op.Del(members.place(), members.text("key"));
          case "createRoom" ->
              new Op.CreateRoom(
                  members.text("room"),
                  takesUsers ? members.optionalText("owner") : Optional.empty());
          case "deleteRoom" -> new Op.DeleteRoom(members.text("room"));
          case "putMember" ->
              new Op.PutMember(members.text("room"), members.text("userId"), members.role());
          case "removeMember" -> new Op.RemoveMember(members.text("room"), members.text("userId"));
          default -> throw new BadOpException("%s.op must be one of %s".formatted(path, OPS));
        };
    members.requireNoMore(" of the op " + kind);
    return op;
  }

  private Condition condition(JsonParser parser, String path) throws IOException {
    Members members = members(parser, path);
    Condition condition = new Condition(members.place(), members.text("key"), members.version());
    members.requireNoMore("");
    return condition;
  }

  private Members members(JsonParser parser, String path) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new BadOpException(path + " must be an object");
    }
    Map<String, JsonText> values = new LinkedHashMap<>();
    Map<String, String> texts = new LinkedHashMap<>();
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      if (values.containsKey(name) || texts.containsKey(name)) {
        throw new BadOpException(path + " names a member twice");
      }
      if (!NAMES.contains(name)) {
        throw new BadOpException(
            "%s has a member that is none of %s"
                .formatted(path, String.join(", ", NAMES.stream().sorted().toList())));
      }
      boolean isText = parser.nextToken() == JsonToken.VALUE_STRING;
      if (isText && !name.equals("value") && !name.equals("merge")) {
        texts.put(name, parser.getText());
      } else {
        values.put(name, JsonText.read(parser, maxValueLength, () -> true));
      }
    }
    return new Members(path, texts, values);
  }

  private static final Set<String> NAMES =
      Set.of(
          "op", "room", "user", "key", "value", "merge", "create", "owner", "userId", "role",
          "version");

  /// The members of one op or condition, each of which is taken once.
  private final class Members {
    private final String path;
    private final Map<String, String> texts;
    private final Map<String, JsonText> values;

    Members(String path, Map<String, String> texts, Map<String, JsonText> values) {
      this.path = path;
      this.texts = texts;
      this.values = values;
    }

    String text(String name) {
      return optionalText(name).orElseThrow(() -> wrong(name, "must be a string"));
    }

    Optional<String> optionalText(String name) {
      if (values.containsKey(name)) {
        throw wrong(name, "must be a string");
      }
      return Optional.ofNullable(texts.remove(name));
    }

    String json(String name) {
      JsonText value = values.remove(name);
      if (value == null) {
        throw wrong(name, "is missing");
      }
      return value
          .text()
          .orElseThrow(() ->
              wrong(
                  name,
                  value.isTooLong()
                      ? "has more than " + maxValueLength + " bytes"
                      : "nests deeper than 512"));
    }

    private @Nullable String word(String name) {
      JsonText value = values.remove(name);
      return value == null ? null : value.text().orElse("");
    }

    boolean flag(String name) {
      String word = texts.containsKey(name) ? "" : word(name);
      if (word != null && !word.equals("true") && !word.equals("false")) {
        throw wrong(name, "must be true or false");
      }
      return "true".equals(word);
    }

    OptionalLong version() {
      String word = texts.containsKey("version") ? "" : word("version");
      if (word == null || (!word.equals("null") && !word.matches("[0-9]{1,18}"))) {
        throw wrong("version", "must be the version of an entry, or null for none");
      }
      return word.equals("null") ? OptionalLong.empty() : OptionalLong.of(Long.parseLong(word));
    }

    Role role() {
      return Role.of(text("role"))
          .orElseThrow(() -> wrong("role", "must be owner, writer or reader"));
    }

    Place place() {
      Place place =
          new Place(optionalText("room"), takesUsers ? optionalText("user") : Optional.empty());
      if (takesUsers && place.room().isPresent() == place.user().isPresent()) {
        throw new BadOpException(path + " needs either room or user");
      }
      return place;
    }

    void requireNoMore(String of) {
      Optional<String> other =
          texts.keySet().stream().findFirst().or(() -> values.keySet().stream().findFirst());
      if (other.isPresent()) {
        throw new BadOpException("%s.%s is no member%s".formatted(path, other.get(), of));
      }
    }

    private BadOpException wrong(String name, String what) {
      return new BadOpException("%s.%s %s".formatted(path, name, what));
    }
  }
}
