package dev.replistream.sync;

import dev.replistream.http.Json;
import dev.replistream.http.JsonValue;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/// The clients of a group that were not seen for long: what is left of each is how far it had come,
/// so that one that comes back after years is neither applied twice nor taken for a new one.
///
/// @param json an object from client id to last mutation id, as it is stored; null where there is
///   none. It is parsed when it is asked.
record FoldedClients(@Nullable String json) {
  /// The last mutation id of a folded client.
  Optional<Long> find(String clientID) {
    return json == null ? Optional.empty() : Optional.ofNullable(toMap().get(clientID));
  }

  /// All of them.
  Map<String, Long> toMap() {
    Map<String, Long> clients = new TreeMap<>();
    if (json != null) {
      JsonValue.parse(json).asMembers().forEach((id, last) -> clients.put(id, last.asLong()));
    }
    return clients;
  }

  /// These and more of them.
  FoldedClients with(Map<String, Long> more) {
    Map<String, Long> clients = toMap();
    clients.putAll(more);
    return of(clients);
  }

  /// These without those that came back.
  FoldedClients without(Iterable<String> clientIDs) {
    Map<String, Long> clients = toMap();
    clientIDs.forEach(clients::remove);
    return of(clients);
  }

  private static FoldedClients of(Map<String, Long> clients) {
    if (clients.isEmpty()) {
      return new FoldedClients(null);
    }
    byte[] json =
        Json.write(out -> {
          out.writeStartObject();
          for (Map.Entry<String, Long> client : clients.entrySet()) {
            out.writeNumberField(client.getKey(), client.getValue());
          }
          out.writeEndObject();
        });
    return new FoldedClients(new String(json, StandardCharsets.UTF_8));
  }
}
