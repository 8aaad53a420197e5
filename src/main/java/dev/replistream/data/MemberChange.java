package dev.replistream.data;

import dev.replistream.api.JsonValue;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.stream.Stream;

/// Somebody who joined a room or left it. Immutable.
public record MemberChange(String room, String userId) {
  /// Some changes as one line of JSON, for other nodes: `["room","user",…]`.
  public static String text(Collection<MemberChange> changes) {
    List<JsonValue> parts =
        changes.stream()
            .flatMap(change -> Stream.of(change.room, change.userId))
            .map(JsonValue::of)
            .toList();
    return JsonValue.array(parts).toJson();
  }

  /// Reads what {@link #text} wrote; nothing else.
  public static List<MemberChange> parse(String text) {
    List<MemberChange> changes = new ArrayList<>();
    List<JsonValue> parts = JsonValue.parse(text).asElements();
    for (int i = 0; i + 1 < parts.size(); i += 2) {
      changes.add(new MemberChange(parts.get(i).asText(), parts.get(i + 1).asText()));
    }
    return changes;
  }
}
