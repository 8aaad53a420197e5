package dev.replistream.sync;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Role;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.function.Function;

/// What is right, said as simply as can be: maps. Whoever writes where the user may not leaves all
/// as it is. Confined to one thread.
final class ViewModel {
  private final Map<String, Map<String, JsonValue>> privateSpaces = new HashMap<>();
  private final Map<String, Map<String, JsonValue>> rooms = new TreeMap<>();
  private final Map<String, Map<String, Role>> members = new TreeMap<>();

  /// What became of the invitations to each room; the room may be gone.
  private final Map<String, Map<String, Invited>> invited = new HashMap<>();

  /// The links by their codes.
  private final Map<String, Link> links = new TreeMap<>();

  /// An invitation.
  record Invited(Role role, String by, boolean isDeclined, boolean isWithdrawn) {
    boolean isOpen() {
      return !isDeclined && !isWithdrawn;
    }
  }

  /// A link, of which one use is never the last in a trace.
  record Link(String room, String id, Role role, String by) {}

  boolean hasRoom(String room) {
    return rooms.containsKey(room);
  }

  /// The members of a room; none where there is no room.
  Map<String, Role> members(String room) {
    return members.getOrDefault(room, new TreeMap<>());
  }

  Optional<Role> role(String room, String user) {
    return Optional.ofNullable(members(room).get(user));
  }

  boolean isMember(String room, String user) {
    return members(room).containsKey(user);
  }

  boolean isLastOwner(String room, String user) {
    return members(room).get(user) == Role.OWNER
        && members(room).values().stream().filter(role -> role == Role.OWNER).count() == 1;
  }

  /// The rooms of a user with the role in each.
  Map<String, Role> rooms(String user) {
    Map<String, Role> mine = new TreeMap<>();
    rooms.keySet().forEach(room -> role(room, user).ifPresent(role -> mine.put(room, role)));
    return mine;
  }

  private Map<String, JsonValue> privateSpace(String user) {
    return privateSpaces.computeIfAbsent(user, _ -> new TreeMap<>());
  }

  /// The entries of all that a user may read, the space that wins first.
  List<Map<String, JsonValue>> spaces(String user) {
    List<Map<String, JsonValue>> spaces = new ArrayList<>(List.of(privateSpace(user)));
    rooms.forEach((room, space) -> {
      if (isMember(room, user)) {
        spaces.add(space);
      }
    });
    return spaces;
  }

  /// The client view of a user.
  Map<String, JsonValue> view(String user) {
    Map<String, JsonValue> view = new TreeMap<>();
    spaces(user).reversed().forEach(view::putAll);
    return view;
  }

  /// The room where a user sees a key; none where that is the private space, or nowhere.
  private Optional<String> roomOf(String user, String key) {
    return privateSpace(user).containsKey(key)
        ? Optional.empty()
        : rooms(user).keySet().stream()
            .filter(room -> rooms.getOrDefault(room, Map.of()).containsKey(key))
            .findFirst();
  }

  /// Writes what `change` makes of the value that is there, nothing to delete it.
  ///
  /// @param named the room to write in; else it is where the user sees the key
  /// @return whom it concerns beside the user: the members of the room that was written in
  Set<String> write(
      String user,
      Optional<String> named,
      String key,
      Function<Optional<JsonValue>, Optional<JsonValue>> change) {
    Optional<String> room = named.or(() -> roomOf(user, key));
    if (room.isPresent() && !role(room.get(), user).map(Role::writes).orElse(false)) {
      return Set.of();
    }
    Map<String, JsonValue> space =
        room.isPresent() ? rooms.getOrDefault(room.get(), new TreeMap<>()) : privateSpace(user);
    Optional<JsonValue> before = Optional.ofNullable(space.get(key));
    Optional<JsonValue> after = change.apply(before);
    if (before.isEmpty() && after.isEmpty()) {
      return Set.of();
    }
    after.ifPresentOrElse(value -> space.put(key, value), () -> space.remove(key));
    return room.map(id -> (Set<String>) new TreeSet<>(members(id).keySet())).orElse(Set.of());
  }

  void put(String user, String key, JsonValue value) {
    write(user, Optional.empty(), key, _ -> Optional.of(value));
  }

  void put(String user, String room, String key, JsonValue value) {
    write(user, Optional.of(room), key, _ -> Optional.of(value));
  }

  void delete(String user, String key) {
    write(user, Optional.empty(), key, _ -> Optional.empty());
  }

  void createRoom(String room, String owner) {
    rooms.put(room, new TreeMap<>());
    members.put(room, new TreeMap<>(Map.of(owner, Role.OWNER)));
  }

  void deleteRoom(String room) {
    rooms.remove(room);
    members.remove(room);
    invitations(room).replaceAll((_, each) -> new Invited(each.role, each.by, false, true));
    links.values().removeIf(link -> link.room.equals(room));
  }

  /// Makes a user a member, or gives one another role.
  void join(String room, String user, Role role) {
    Role before = members(room).put(user, role);
    invitations(room).remove(user);
    if (before == Role.OWNER && role != Role.OWNER) {
      endOffers(room, user);
    }
  }

  void leave(String room, String user) {
    if (members(room).remove(user) == Role.OWNER) {
      endOffers(room, user);
    }
  }

  /// Who owns a room no more has invited nobody to it.
  private void endOffers(String room, String user) {
    invitations(room)
        .replaceAll((_, each) ->
            each.by.equals(user) ? new Invited(each.role, each.by, each.isDeclined, true) : each);
    links.values().removeIf(link -> link.room.equals(room) && link.by.equals(user));
  }

  private Map<String, Invited> invitations(String room) {
    return invited.computeIfAbsent(room, _ -> new TreeMap<>());
  }

  /// Whoever was invited to a room and has not joined it since, whatever became of that.
  Optional<Invited> invitation(String room, String user) {
    return Optional.ofNullable(invitations(room).get(user));
  }

  /// The invitations to a room that its owners see, with their roles.
  Map<String, Role> shownToOwners(String room) {
    Map<String, Role> shown = new TreeMap<>();
    invitations(room)
        .forEach((user, each) -> {
          if (!each.isWithdrawn) {
            shown.put(user, each.role);
          }
        });
    return shown;
  }

  /// The rooms that a user is invited to, with what they are invited as and by whom.
  Map<String, Invited> invitationsOf(String user) {
    Map<String, Invited> mine = new TreeMap<>();
    invited.forEach((room, users) -> {
      Invited one = users.get(user);
      if (one != null && one.isOpen()) {
        mine.put(room, one);
      }
    });
    return mine;
  }

  /// Invites a user who is no member.
  ///
  /// @return whether they hear of it
  boolean invite(String room, String user, Role role, String by) {
    Invited before = invitations(room).get(user);
    boolean isDeclined = before != null && before.isDeclined;
    invitations(room).put(user, new Invited(role, by, isDeclined, false));
    return before == null;
  }

  void decline(String room, String user) {
    invitations(room)
        .computeIfPresent(user, (_, each) -> new Invited(each.role, each.by, true, false));
  }

  void withdraw(String room, String user) {
    invitations(room)
        .computeIfPresent(
            user, (_, each) -> new Invited(each.role, each.by, each.isDeclined, true));
  }

  Map<String, Link> links() {
    return links;
  }

  /// Writes in a room as nobody: a rule without restriction.
  Set<String> writeUnrestricted(String room, String key, JsonValue value) {
    Map<String, JsonValue> space = rooms.get(room);
    if (space == null) {
      return Set.of();
    }
    space.put(key, value);
    return new TreeSet<>(members(room).keySet());
  }
}
