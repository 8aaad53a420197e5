package dev.replistream.api;

import java.time.Duration;
import java.util.List;
import java.util.Optional;

/// What a mutator sees: the caller's client view, its rooms, and nothing else. All that it does
/// takes effect together or, if it throws, not at all.
///
/// Where no room is named, a read sees the caller's client view: of a key that stands in several
/// spaces the private one wins, then the room whose id comes first (as UTF-8 bytes). A write goes
/// where the key is visible, else into the private space.
///
/// Confined to the thread that runs the mutator, and to its run: a server throws {@link
/// IllegalStateException} to any other use.
public interface Transaction {
  /// How long an invitation can be accepted.
  Duration INVITATION_LIFE = Duration.ofDays(30);

  /// How long a link can be used where nothing else is said.
  Duration LINK_LIFE = Duration.ofDays(7);

  /// How long a link can be used at most.
  Duration MAX_LINK_LIFE = Duration.ofDays(30);

  /// How many may join by a link where nothing else is said; in a room with a lower limit as many
  /// as that.
  int LINK_USES = 100;

  /// Who pushed the mutation.
  String userId();

  /// The client that made the mutation: a tab of a browser, for one, which may be another one of
  /// the same user's than the one that pushed it.
  String clientID();

  /// The client's number for the mutation: from 1 on, without a gap. A mutation that runs again,
  /// after a conflict, has the same.
  long mutationID();

  /// The claims of the token by which the mutation was pushed: all of them, as the issuer has
  /// written them, in a JSON object. Where there was no token, as in a test, it is `{"sub":
  /// userId}`.
  JsonValue claims();

  /// The value of `key` in the caller's client view.
  Optional<JsonValue> get(String key);

  /// The value of `key` in `room`.
  ///
  /// @throws RejectedException when the caller is not a member
  Optional<JsonValue> get(String room, String key);

  /// Whether `key` is in the caller's client view.
  default boolean has(String key) {
    return get(key).isPresent();
  }

  /// Whether `key` is in `room`.
  default boolean has(String room, String key) {
    return get(room, key).isPresent();
  }

  /// Whether the caller's client view has no entry.
  default boolean isEmpty() {
    return scan(Scan.all().limit(1)).isEmpty();
  }

  /// Whether `room` has no entry.
  ///
  /// @throws RejectedException when the caller is not a member
  default boolean isEmpty(String room) {
    return scan(Scan.all().in(room).limit(1)).isEmpty();
  }

  /// The entries that `scan` names, in the order of their keys as UTF-8 bytes.
  ///
  /// @throws RejectedException when it names a room of which the caller is not a member
  List<Entry> scan(Scan scan);

  /// The entries of the caller's client view whose key begins with `prefix`, in the order of their
  /// keys as UTF-8 bytes.
  default List<Entry> scan(String prefix) {
    return scan(Scan.prefix(prefix));
  }

  /// The entries of `room` whose key begins with `prefix`, in the order of their keys as UTF-8
  /// bytes.
  ///
  /// @throws RejectedException when the caller is not a member
  default List<Entry> scan(String room, String prefix) {
    return scan(Scan.prefix(prefix).in(room));
  }

  /// Sets `key` where it is visible now, else in the private space.
  ///
  /// @throws RejectedException when that is a room in which the caller may not write, or the key
  ///   has more than 1,024 bytes in UTF-8, or the value is larger than configured or has a number
  ///   beyond 1.8e308
  /// @throws dev.replistream.api.JsonValueException when the value nests deeper than 512
  void put(String key, JsonValue value);

  /// Sets `key` in `room`.
  ///
  /// @throws RejectedException when the caller may not write there, or the key has more than 1,024
  ///   bytes in UTF-8, or the value is larger than configured or has a number beyond 1.8e308
  /// @throws dev.replistream.api.JsonValueException when the value nests deeper than 512
  void put(String room, String key, JsonValue value);

  /// Deletes `key` where it is visible now.
  ///
  /// @return whether it was there
  /// @throws RejectedException when that is a room in which the caller may not write
  boolean delete(String key);

  /// Deletes `key` in `room`.
  ///
  /// @return whether it was there
  /// @throws RejectedException when the caller may not write there
  boolean delete(String room, String key);

  /// The rooms that the caller is a member of, in the order of their ids as UTF-8 bytes.
  List<Membership> rooms();

  /// The members of one of the caller's rooms, in the order of their ids as UTF-8 bytes.
  ///
  /// @throws RejectedException when the caller is not a member
  List<Member> members(String room);

  /// Creates a room whose owner is the caller.
  ///
  /// @throws RejectedException when the id is taken, or is not 1 to 128 characters without control
  ///   characters, or, on a server, the caller is in as many rooms as the server allows
  void createRoom(String room);

  /// Deletes a room with all its entries and members.
  ///
  /// @throws RejectedException when the caller is not an owner
  void deleteRoom(String room);

  /// Gives a member another role; it stays a member since when it was. Somebody else becomes a
  /// member where this transaction is {@link #unrestricted}, or the service adds members without
  /// their consent (`rooms.membership: direct`).
  ///
  /// @throws RejectedException when the caller is not an owner, when the user id is not one, when
  ///   the user is no member and has to be invited, when the room would lose its last owner, or, on
  ///   a server, when the user is in as many rooms, or the room has as many members, as the server
  ///   allows
  void putMember(String room, String userId, Role role);

  /// Invites somebody to a room, or gives their invitation another role. The invited user is poked
  /// once, and joins by `POST /rooms/{room}/join`; until then nothing of the room reaches them.
  ///
  /// @throws RejectedException when the caller is not an owner, when the user id is not one, when
  ///   the user is a member already, or, on a server, when the room has, the caller has sent, or
  ///   the user was sent, as many invitations as configured
  void invite(String room, String userId, Role role);

  /// Makes a link to a room, for 7 days and 100 users.
  ///
  /// @return its code, by which whoever has it joins (`POST /join`); it can't be read again
  /// @throws RejectedException as {@link #createLink(String, Role, Duration, int)}
  String createLink(String room, Role role);

  /// Makes a link to a room.
  ///
  /// @param role what those become who join by it: a writer or a reader
  /// @param life how long it can be used, up to 30 days
  /// @param uses how many may join by it, from 1 to as many as a room may have members
  /// @return its code, by which whoever has it joins (`POST /join`); it can't be read again
  /// @throws RejectedException when the caller is not an owner, when one of the values is beyond
  ///   its limits, or, on a server, when the room has as many links as configured
  String createLink(String room, Role role, Duration life, int uses);

  /// Takes a member out of a room, or takes back the invitation of somebody who has not joined yet.
  /// An owner may do so to anybody; others may only leave.
  ///
  /// @return whether that user was a member or invited
  /// @throws RejectedException when the caller is not a member, may not remove that user, or would
  ///   remove the last owner
  boolean removeMember(String room, String userId);

  /// The same transaction, not limited to the caller's rights, for a rule that decides by itself
  /// who may do what, such as one that lets in whoever knows a word: it reads, writes and changes
  /// every room, and adds members without asking them. What names no room still sees the caller's
  /// client view. It ends with this one, and what the two do takes effect together or not at all.
  Transaction unrestricted();

  /// One entry.
  record Entry(String key, JsonValue value) {}
}
