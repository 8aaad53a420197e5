package dev.replistream.example.todo;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Transaction;
import java.util.Map;
import java.util.Optional;

/// The mutators of the todo application. A list is a room: its entries live there, and sharing the
/// list makes the other user a member, who then sees them. Who may do what follows from the roles,
/// so hardly a mutator checks it.
///
/// | key | value |
/// | --- | --- |
/// | `list/<id>` | `{id, name, ownerID}` |
/// | `todo/<id>` | `{id, listID, text, completed, sort}` |
/// | `share/<id>` | `{id, listID, userID}` |
///
/// Clients make up the ids, so another user may have any of them too: entries of one list never
/// meet those of another, as each room is named after its owner as well.
public final class TodoMutators implements Mutators {
  private static final String LIST = "list/";
  private static final String TODO = "todo/";
  private static final String SHARE = "share/";

  /// The seven mutators of the application. The built-in ones are shut: with them a client could
  /// write what it likes where it may write at all.
  @Override
  public Map<String, Mutator> mutators() {
    return Map.of(
        "createList", TodoMutators::createList,
        "deleteList", TodoMutators::deleteList,
        "createTodo", TodoMutators::createTodo,
        "updateTodo", TodoMutators::updateTodo,
        "deleteTodo", TodoMutators::deleteTodo,
        "createShare", TodoMutators::createShare,
        "deleteShare", TodoMutators::deleteShare,
        "put", TodoMutators::refuse,
        "patch", TodoMutators::refuse,
        "del", TodoMutators::refuse);
  }

  /// `{id, ownerID, name}`
  private static void createList(Transaction transaction, JsonValue args) {
    String id = args.get("id").asText();
    String owner = args.get("ownerID").asText();
    if (!owner.equals(transaction.userId())) {
      throw new RejectedException("a list for somebody else");
    }
    requireNew(transaction, LIST + id);
    String room = room(owner, id);
    transaction.createRoom(room);
    transaction.put(
        room,
        LIST + id,
        JsonValue.object()
            .with("id", id)
            .with("name", args.get("name").asText())
            .with("ownerID", owner)
            .build());
  }

  /// The list's id. Only its owner may.
  private static void deleteList(Transaction transaction, JsonValue args) {
    transaction.deleteRoom(roomOfList(transaction, args.asText()));
  }

  /// `{id, listID, text, completed}`; the new todo comes last in its list.
  private static void createTodo(Transaction transaction, JsonValue args) {
    String id = args.get("id").asText();
    String list = args.get("listID").asText();
    requireNew(transaction, TODO + id);
    String room = roomOfList(transaction, list);
    double last = 0;
    for (Transaction.Entry todo : transaction.scan(room, TODO)) {
      last = Math.max(last, todo.value().get("sort").asDouble());
    }
    transaction.put(
        room,
        TODO + id,
        JsonValue.object()
            .with("id", id)
            .with("listID", list)
            .with("text", args.get("text").asText())
            .with("completed", args.get("completed").asBoolean())
            .with("sort", last + 1)
            .build());
  }

  /// `{id, text?, completed?, sort?}`
  private static void updateTodo(Transaction transaction, JsonValue args) {
    String key = TODO + args.get("id").asText();
    Obj todo = new Obj(existing(transaction, key).asMembers());
    Optional<JsonValue> text = args.find("text");
    if (text.isPresent()) {
      todo = todo.with("text", JsonValue.of(text.get().asText()));
    }
    Optional<JsonValue> completed = args.find("completed");
    if (completed.isPresent()) {
      todo = todo.with("completed", JsonValue.of(completed.get().asBoolean()));
    }
    Optional<JsonValue> sort = args.find("sort");
    if (sort.isPresent()) {
      todo = todo.with("sort", JsonValue.of(sort.get().asDouble()));
    }
    transaction.put(key, todo);
  }

  /// The todo's id.
  private static void deleteTodo(Transaction transaction, JsonValue args) {
    transaction.delete(TODO + args.asText());
  }

  /// `{id, listID, userID}`: the user is invited to the list. Only the list's owner may.
  private static void createShare(Transaction transaction, JsonValue args) {
    String id = args.get("id").asText();
    String list = args.get("listID").asText();
    String user = args.get("userID").asText();
    requireNew(transaction, SHARE + id);
    String room = roomOfList(transaction, list);
    if (user.equals(transaction.userId())) {
      throw new RejectedException("the list is the user's own");
    }
    boolean isMember =
        transaction.members(room).stream().anyMatch(member -> member.userId().equals(user));
    if (!isMember) {
      transaction.invite(room, user, Role.WRITER);
    }
    transaction.put(
        room,
        SHARE + id,
        JsonValue.object().with("id", id).with("listID", list).with("userID", user).build());
  }

  /// The share's id. The list's owner may, and the user with whom it is shared. Two clients that
  /// were offline may have shared the list with the same user: it stays shared until both are gone.
  private static void deleteShare(Transaction transaction, JsonValue args) {
    JsonValue share = existing(transaction, SHARE + args.asText());
    String room = roomOfList(transaction, share.get("listID").asText());
    JsonValue user = share.get("userID");
    transaction.delete(room, SHARE + args.asText());
    boolean isStillShared =
        transaction.scan(room, SHARE).stream()
            .anyMatch(other -> other.value().get("userID").equals(user));
    if (!isStillShared) {
      transaction.removeMember(room, user.asText());
    }
  }

  private static void refuse(Transaction transaction, JsonValue args) {
    throw new RejectedException("not a mutator of this application");
  }

  private static void requireNew(Transaction transaction, String key) {
    if (transaction.has(key)) {
      throw new RejectedException("the id is taken");
    }
  }

  private static JsonValue existing(Transaction transaction, String key) {
    return transaction
        .get(key)
        .orElseThrow(() -> new RejectedException("the caller sees no such entry"));
  }

  /// The room of a list that the caller sees.
  private static String roomOfList(Transaction transaction, String id) {
    return room(existing(transaction, LIST + id).get("ownerID").asText(), id);
  }

  /// A slash ends the owner's id, in which none is left, so no two lists share a room.
  private static String room(String owner, String list) {
    return owner.replace("~", "~0").replace("/", "~1") + "/" + list;
  }
}
