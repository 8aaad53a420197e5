package dev.replistream.rules;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import java.util.LinkedHashMap;
import java.util.Map;

/// JSON Merge Patch (RFC 7396, section 2). Stateless.
public final class MergePatch {
  private MergePatch() {}

  /// What `target` becomes by `patch`. Members keep their places, new ones come last.
  ///
  /// @param target JSON null where there is nothing yet
  public static JsonValue apply(JsonValue target, JsonValue patch) {
    if (!(patch instanceof Obj(Map<String, JsonValue> changes))) {
      return patch;
    }
    Map<String, JsonValue> merged = new LinkedHashMap<>();
    if (target instanceof Obj(Map<String, JsonValue> members)) {
      merged.putAll(members);
    }
    changes.forEach((name, change) -> {
      if (change.isNull()) {
        merged.remove(name);
      } else {
        merged.put(name, apply(merged.getOrDefault(name, JsonValue.ofNull()), change));
      }
    });
    return new Obj(merged);
  }
}
