package dev.replistream.room;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.auth.Caller;
import jakarta.json.JsonObject;
import java.util.List;

/// Changes rooms by their routes; whatever is asked for has to succeed. Thread-safe.
public final class RoomClient {
  private final ServiceClient client;

  /// Changes them by this node.
  public RoomClient(ServiceClient client) {
    this.client = client;
  }

  private HttpReply send(String method, String route, String userId, String body) {
    return client.send(HttpRequest.api(method, route).by(client.token(userId)).with(body));
  }

  private static void requireStatus(HttpReply reply, int... statuses) {
    assertThat(statuses).as(reply.toString()).contains(reply.status());
  }

  /// A room of an owner with some writers.
  public void create(String room, String owner, String... members) {
    requireStatus(send("POST", "/rooms", owner, "{\"id\":\"" + room + "\"}"), 201);
    for (String member : members) {
      put(room, owner, member, "writer");
    }
  }

  /// Makes a user a member, as a backend service may, or gives it another role.
  ///
  /// @return the status, which tells which of the two
  public int put(String room, String owner, String member, String role) {
    String body = "{\"role\":\"" + role + "\"}";
    HttpReply reply =
        client.send(
            HttpRequest.api("PUT", "/rooms/" + room + "/members/" + member)
                .by(client.token(owner, Caller.WRITE_SCOPE))
                .with(body));
    requireStatus(reply, 200, 201);
    return reply.status();
  }

  public void remove(String room, String caller, String member) {
    requireStatus(send("DELETE", "/rooms/" + room + "/members/" + member, caller, ""), 204);
  }

  /// Pokes all members.
  public void poke(String room, String caller) {
    requireStatus(send("POST", "/rooms/" + room + "/poke", caller, ""), 200);
  }

  public void delete(String room, String owner) {
    requireStatus(send("DELETE", "/rooms/" + room, owner, ""), 204);
  }

  public HttpReply presence(String room, String caller) {
    return send("GET", "/rooms/" + room + "/presence", caller, "");
  }

  /// Who is present, as `user:sessions`.
  public List<String> present(String room, String caller) {
    HttpReply reply = presence(room, caller);
    requireStatus(reply, 200);
    return reply.json().getJsonArray("users").getValuesAs(JsonObject.class).stream()
        .map(user -> user.getString("userId") + ":" + user.getInt("sessions"))
        .toList();
  }
}
