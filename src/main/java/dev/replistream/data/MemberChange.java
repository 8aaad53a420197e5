package dev.replistream.data;

import dev.replistream.http.Json;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;

/// Somebody who joined a room or left it. Immutable.
public record MemberChange(String room, String userId) {
  /// Some changes as one line of JSON, for other nodes: `["room","user",…]`.
  public static String text(Collection<MemberChange> changes) {
    return Json.writeText(json -> {
      json.writeStartArray();
      for (MemberChange change : changes) {
        json.writeString(change.room);
        json.writeString(change.userId);
      }
      json.writeEndArray();
    });
  }

  /// Reads what {@link #text} wrote; nothing else.
  public static List<MemberChange> parse(String text) {
    List<MemberChange> changes = new ArrayList<>();
    if (Json.parse(text) instanceof List<?> parts) {
      for (int i = 0; i + 1 < parts.size(); i += 2) {
        changes.add(
            new MemberChange(String.valueOf(parts.get(i)), String.valueOf(parts.get(i + 1))));
      }
    }
    return changes;
  }
}
