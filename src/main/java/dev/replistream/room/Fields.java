package dev.replistream.room;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Num;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValue.Str;
import dev.replistream.api.JsonValueException;
import dev.replistream.api.Role;
import dev.replistream.http.Bodies;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.OptionalLong;

/// The members of a small JSON object that a request carries. Each refusal is a 400 that names the
/// member. Immutable.
final class Fields {
  /// A longer number takes the longer to read.
  private static final int MAX_DIGITS = 20;

  private final Map<String, JsonValue> values;

  private Fields(Map<String, JsonValue> values) {
    this.values = values;
  }

  /// Reads an object.
  ///
  /// @param names of its members; another one is refused, as a misspelt one would do nothing
  /// @throws dev.replistream.http.ProblemException 400 for another body
  static Fields of(byte[] body, String... names) {
    List<String> known = List.of(names);
    if (!(Bodies.parse(body, JsonValue::read) instanceof Obj(var values))
        || !known.containsAll(values.keySet())) {
      throw RoomProblems.bad(
          "The body is a JSON object with %s."
              .formatted(
                  known.size() == 1
                      ? "one key, " + known.getFirst()
                      : "no other keys than " + String.join(", ", known)));
    }
    return new Fields(values);
  }

  /// A string that has to be there.
  String text(String name) {
    return optionalText(name)
        .orElseThrow(
            () -> RoomProblems.bad("The body needs the key %s, a string.".formatted(name)));
  }

  /// A string that may be left out.
  Optional<String> optionalText(String name) {
    return switch (values.get(name)) {
      case null -> Optional.empty();
      case Str(String text) -> Optional.of(text);
      default -> throw RoomProblems.bad("%s is a string.".formatted(name));
    };
  }

  /// The role that has to be there.
  Role role() {
    return Role.of(text("role")).orElseThrow(RoomProblems::unknownRole);
  }

  /// A whole number that may be left out.
  OptionalInt number(String name, int min, int max) {
    JsonValue value = values.get(name);
    if (value == null) {
      return OptionalInt.empty();
    }
    OptionalLong number =
        value instanceof Num(String text) && text.length() <= MAX_DIGITS
            ? whole(value)
            : OptionalLong.empty();
    if (number.isPresent() && number.getAsLong() >= min && number.getAsLong() <= max) {
      return OptionalInt.of((int) number.getAsLong());
    }
    throw RoomProblems.bad("%s is a whole number from %s to %s.".formatted(name, min, max));
  }

  private static OptionalLong whole(JsonValue number) {
    try {
      return OptionalLong.of(number.asLong());
    } catch (JsonValueException _) {
      return OptionalLong.empty(); // a fraction, or too large
    }
  }
}
