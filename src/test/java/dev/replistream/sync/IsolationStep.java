package dev.replistream.sync;

import dev.replistream.api.Role;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Random;

/// One step of a random trace. It names users, rooms and keys by their numbers and says nothing of
/// what they are by then, so steps can be left out of a trace and it is one still. Immutable.
///
/// @param user who does it
/// @param other the user whom it concerns, if it concerns one
/// @param pick which one of whatever else there is to choose from
record IsolationStep(Action action, int user, int other, int room, int key, int pick) {
  static final int USERS = 4;
  static final int ROOMS = 3;
  static final int KEYS = 3;
  private static final int PICKS = 1 << 16;
  private static final List<Role> ROLES = List.of(Role.OWNER, Role.WRITER, Role.READER);

  /// What is done; the number says how often.
  enum Action {
    PUT(5),
    PUT_IN_ROOM(9),
    PATCH(2),
    PATCH_IN_ROOM(3),
    DEL(4),
    DEL_IN_ROOM(8),
    PUT_AND_DEL_IN_ROOM(2),
    PULL(8),
    PULL_WITH_OLD_COOKIE(12),
    PULL_WITHOUT_COOKIE(1),
    PULL_WITH_COOKIE_OF_OTHER_GROUP(2),
    PULL_WITH_COOKIE_OF_OTHER_USER(2),
    PULL_WITH_FORGED_COOKIE(2),
    PULL_AS_GROUP_OF_OTHER_USER(1),
    PUSH_AS_GROUP_OF_OTHER_USER(1),
    CREATE_ROOM(4),
    DELETE_ROOM(2),
    PUT_MEMBER(10),
    REMOVE_MEMBER(8),
    LEAVE(3),
    JOIN(12),
    DECLINE(3),
    WITHDRAW(3),
    MAKE_LINK(4),
    JOIN_BY_LINK(5),
    END_LINK(1),
    LIST_INVITATIONS(2),
    LIST_INVITATIONS_OF_ROOM(2),
    LIST_PRESENCE(3),
    BACKEND_CREATES_ROOM(1),
    BACKEND_DELETES_ROOM(1),
    BACKEND_PUTS_MEMBER(3),
    BACKEND_REMOVES_MEMBER(2),
    RULE_LETS_IN(2),
    RULE_WRITES(2),
    LIST_ROOMS(1),
    LIST_MEMBERS(3),
    POKE_SELF(1),
    POKE_OTHER(1),
    POKE_AS_SERVICE(2),
    POKE_ROOM(3),
    COME_WITH_BAD_TOKEN(3),
    OPEN_STREAM(3),
    CLOSE_STREAM(2);

    private final int weight;

    Action(int weight) {
      this.weight = weight;
    }
  }

  /// A random trace. It begins with rooms that have members, so that there is something to see.
  static List<IsolationStep> trace(long seed, int length) {
    List<Action> actions = new ArrayList<>();
    for (Action action : Action.values()) {
      for (int i = 0; i < action.weight; i++) {
        actions.add(action);
      }
    }
    Random random = new Random(seed);
    List<IsolationStep> steps = new ArrayList<>();
    for (int i = 0; i < length; i++) {
      Action action = i < ROOMS ? Action.CREATE_ROOM : actions.get(random.nextInt(actions.size()));
      int room = i < ROOMS ? i : low(random);
      // half of the time the user who most often owns the room: else most steps would be refused
      int user = i < ROOMS || random.nextBoolean() ? room : random.nextInt(USERS);
      steps.add(
          new IsolationStep(
              action,
              user,
              random.nextInt(USERS),
              room,
              random.nextInt(KEYS),
              random.nextInt(PICKS)));
    }
    return steps;
  }

  /// Any room, and more often one of the first, so that enough happens in one.
  private static int low(Random random) {
    int room = random.nextInt(ROOMS);
    return Math.min(room, random.nextInt(ROOMS));
  }

  /// The role that a link gives.
  Role linkRole() {
    return pick % 2 == 0 ? Role.WRITER : Role.READER;
  }

  /// The role to give.
  Role role() {
    return ROLES.get(pick % ROLES.size());
  }

  @Override
  public String toString() {
    String what = action.name().toLowerCase(Locale.ROOT).replace('_', ' ');
    String who = "user " + user + ": " + what;
    return switch (action) {
      case PUT, PATCH, DEL -> who + " key " + key;
      case PUT_IN_ROOM, PATCH_IN_ROOM, DEL_IN_ROOM, PUT_AND_DEL_IN_ROOM ->
          who + " " + room + " key " + key;
      case PULL, PULL_WITHOUT_COOKIE, POKE_SELF, LIST_ROOMS, OPEN_STREAM, CLOSE_STREAM -> who;
      case PULL_WITH_OLD_COOKIE,
          PULL_WITH_COOKIE_OF_OTHER_GROUP,
          PULL_WITH_FORGED_COOKIE,
          COME_WITH_BAD_TOKEN ->
          who + " (number " + pick + ")";
      case PULL_WITH_COOKIE_OF_OTHER_USER,
          PULL_AS_GROUP_OF_OTHER_USER,
          PUSH_AS_GROUP_OF_OTHER_USER,
          POKE_OTHER,
          POKE_AS_SERVICE ->
          who + " " + other;
      case CREATE_ROOM,
          DELETE_ROOM,
          LIST_MEMBERS,
          POKE_ROOM,
          LEAVE,
          JOIN,
          DECLINE,
          LIST_INVITATIONS_OF_ROOM,
          LIST_PRESENCE,
          RULE_LETS_IN,
          BACKEND_CREATES_ROOM,
          BACKEND_DELETES_ROOM ->
          who + " " + room;
      case JOIN_BY_LINK, END_LINK, LIST_INVITATIONS -> who + " (number " + pick + ")";
      case MAKE_LINK -> who + " to room " + room + " as " + linkRole().label();
      case RULE_WRITES -> who + " " + room + " key " + key;
      case WITHDRAW -> who + " " + other + " of room " + room;
      case BACKEND_PUTS_MEMBER -> who + " " + other + " of room " + room + " as " + role().label();
      case BACKEND_REMOVES_MEMBER -> who + " " + other + " of room " + room;
      case PUT_MEMBER -> who + " " + other + " of room " + room + " as " + role().label();
      case REMOVE_MEMBER -> who + " " + other + " of room " + room;
    };
  }
}
