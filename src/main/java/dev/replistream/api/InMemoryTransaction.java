package dev.replistream.api;

import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Optional;
import java.util.TreeMap;
import java.util.UUID;

/// A transaction on the data of an {@link InMemoryStore}, which are restored if it fails. What it
/// refuses, it refuses with the reason that a server logs.
final class InMemoryTransaction implements Transaction {
  private final InMemorySpaces spaces;
  private final Author author;
  private final String userId;
  private final Clock clock;
  private final int maxValueBytes;
  private final boolean isUnrestricted;

  /// Who made the mutation, and which one it is.
  record Author(String userId, String clientID, long mutationID, JsonValue claims) {}

  /// @param isUnrestricted whether it has more than the user's rights
  InMemoryTransaction(
      InMemorySpaces spaces,
      Author author,
      Clock clock,
      int maxValueBytes,
      boolean isUnrestricted) {
    this.spaces = spaces;
    this.author = author;
    userId = author.userId;
    this.clock = clock;
    this.maxValueBytes = maxValueBytes;
    this.isUnrestricted = isUnrestricted;
  }

  @Override
  public Transaction unrestricted() {
    return new InMemoryTransaction(spaces, author, clock, maxValueBytes, true);
  }

  /// The entries of a space that the caller may read.
  private record Space(NavigableMap<Key, JsonValue> entries, boolean isWritable) {}

  @Override
  public String userId() {
    return userId;
  }

  @Override
  public String clientID() {
    return author.clientID;
  }

  @Override
  public long mutationID() {
    return author.mutationID;
  }

  @Override
  public JsonValue claims() {
    return author.claims;
  }

  @Override
  public Optional<JsonValue> get(String key) {
    Key stored = Key.of(key);
    return visible(stored).map(space -> space.entries.get(stored));
  }

  @Override
  public Optional<JsonValue> get(String room, String key) {
    return Optional.ofNullable(joined(room).entries.get(Key.of(key)));
  }

  @Override
  public List<Entry> scan(Scan scan) {
    KeyRange keys = scan.keys();
    List<Space> scanned = scan.room().map(room -> List.of(joined(room))).orElseGet(this::readable);
    NavigableMap<Key, JsonValue> found = new TreeMap<>();
    for (Space space : scanned.reversed()) {
      found.putAll(range(space.entries, keys));
    }
    return found.entrySet().stream()
        .limit(scan.limit())
        .map(entry -> new Entry(entry.getKey().text(), entry.getValue()))
        .toList();
  }

  @Override
  public void put(String key, JsonValue value) {
    Key stored = Key.of(key).storable();
    put(visible(stored).orElseGet(this::ownSpace), stored, value);
  }

  @Override
  public void put(String room, String key, JsonValue value) {
    Key stored = Key.of(key).storable();
    put(joined(room), stored, value);
  }

  private void put(Space space, Key key, JsonValue value) {
    requireWritable(space);
    if (value.toBytes().length > maxValueBytes) {
      throw new RejectedException(
          RejectionCode.VALUE_TOO_LARGE, "the value has more than " + maxValueBytes + " bytes");
    }
    if (!value.isInRange()) {
      throw new RejectedException(RejectionCode.BAD_VALUE);
    }
    space.entries.put(key, value);
  }

  @Override
  public boolean delete(String key) {
    Key stored = Key.of(key);
    Optional<Space> space = visible(stored);
    space.ifPresent(each -> {
      requireWritable(each);
      each.entries.remove(stored);
    });
    return space.isPresent();
  }

  @Override
  public boolean delete(String room, String key) {
    Space space = joined(room);
    requireWritable(space);
    return space.entries.remove(Key.of(key)) != null;
  }

  @Override
  public List<Membership> rooms() {
    List<Membership> memberships = new ArrayList<>();
    spaces
        .rooms()
        .forEach((id, room) ->
            room.role(userId).ifPresent(role -> memberships.add(new Membership(id.text(), role))));
    return memberships;
  }

  @Override
  public List<Member> members(String room) {
    role(room);
    return List.copyOf(room(room).members().values());
  }

  @Override
  public void createRoom(String room) {
    requireId(room);
    InMemoryRoom created = new InMemoryRoom();
    if (spaces.rooms().putIfAbsent(Key.of(room), created) != null) {
      throw new RejectedException(RejectionCode.TAKEN);
    }
    join(created, userId, Role.OWNER);
  }

  @Override
  public void deleteRoom(String room) {
    requireOwner(room);
    spaces.rooms().remove(Key.of(room));
    spaces.links().values().removeIf(link -> link.room().equals(room));
  }

  @Override
  public void putMember(String room, String member, Role role) {
    requireId(member);
    requireOwner(room);
    if (!isUnrestricted && room(room).role(member).isEmpty()) {
      throw new RejectedException(RejectionCode.NO_SUCH_MEMBER);
    }
    if (role != Role.OWNER) {
      requireAnotherOwner(room, member);
      endOffers(room, member);
    }
    join(room(room), member, role);
  }

  @Override
  public void invite(String room, String member, Role role) {
    requireId(member);
    requireOwner(room);
    if (room(room).role(member).isPresent()) {
      throw new RejectedException(RejectionCode.MEMBER_ALREADY);
    }
    InMemoryRoom found = room(room);
    Instant since = invited(found, member).map(InMemoryRoom.Invited::at).orElseGet(clock::instant);
    found.invited().put(member, new InMemoryRoom.Invited(role, userId, since));
  }

  private Optional<InMemoryRoom.Invited> invited(InMemoryRoom room, String member) {
    Instant expired = clock.instant().minus(INVITATION_LIFE);
    return Optional.ofNullable(room.invited().get(member))
        .filter(each -> each.at().isAfter(expired));
  }

  @Override
  public String createLink(String room, Role role) {
    return createLink(room, role, LINK_LIFE, LINK_USES);
  }

  @Override
  public String createLink(String room, Role role, Duration life, int uses) {
    requireOwner(room);
    if (role == Role.OWNER || !life.isPositive() || life.compareTo(MAX_LINK_LIFE) > 0 || uses < 1) {
      throw new RejectedException(RejectionCode.BAD_LINK);
    }
    String code = UUID.randomUUID().toString();
    spaces
        .links()
        .put(code, new InMemorySpaces.Link(room, role, userId, clock.instant().plus(life), uses));
    return code;
  }

  /// Accepts an invitation.
  void accept(String room) {
    InMemoryRoom found = spaces.rooms().get(Key.of(room));
    if (found == null) {
      throw new RejectedException(RejectionCode.NOT_INVITED);
    }
    if (found.role(userId).isEmpty()) {
      Role role =
          invited(found, userId)
              .orElseThrow(() -> new RejectedException(RejectionCode.NOT_INVITED))
              .role();
      join(found, userId, role);
    }
  }

  /// Joins by a link's code.
  void joinBy(String code) {
    InMemorySpaces.Link link = spaces.links().get(code);
    if (link == null || !link.expiresAt().isAfter(clock.instant())) {
      throw new RejectedException(RejectionCode.NO_SUCH_LINK);
    }
    InMemoryRoom room = room(link.room());
    if (room.role(userId).isPresent()) {
      return;
    }
    if (link.usesLeft() == 1) {
      spaces.links().remove(code);
    } else {
      spaces
          .links()
          .put(
              code,
              new InMemorySpaces.Link(
                  link.room(), link.role(), link.by(), link.expiresAt(), link.usesLeft() - 1));
    }
    Role role =
        invited(room, userId)
            .map(InMemoryRoom.Invited::role)
            .filter(invited -> invited.compareTo(link.role()) < 0)
            .orElse(link.role());
    join(room, userId, role);
  }

  @Override
  public boolean removeMember(String room, String member) {
    if (member.equals(userId)) {
      role(room);
    } else {
      requireOwner(room);
    }
    requireAnotherOwner(room, member);
    endOffers(room, member);
    return room(room).members().remove(Key.of(member)) != null || takeBack(room(room), member);
  }

  private boolean takeBack(InMemoryRoom room, String member) {
    boolean isInvited = invited(room, member).isPresent();
    room.invited().remove(member);
    return isInvited;
  }

  /// Ends what an owner who is one no longer could bring others in by.
  private void endOffers(String room, String member) {
    if (room(room).role(member).equals(Optional.of(Role.OWNER))) {
      room(room).invited().values().removeIf(each -> each.by().equals(member));
      spaces
          .links()
          .values()
          .removeIf(each -> each.room().equals(room) && each.by().equals(member));
    }
  }

  private void join(InMemoryRoom room, String member, Role role) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    room.members()
        .merge(
            Key.of(member),
            new Member(member, role, now),
            (before, _) -> new Member(member, role, before.since()));
    room.invited().remove(member);
  }

  /// The spaces of the caller's client view, the one that wins first.
  private List<Space> readable() {
    List<Space> readable = new ArrayList<>();
    readable.add(ownSpace());
    rooms().forEach(each -> readable.add(joined(each.room())));
    return readable;
  }

  private Optional<Space> visible(Key key) {
    return readable().stream().filter(space -> space.entries.containsKey(key)).findFirst();
  }

  private Space ownSpace() {
    return new Space(spaces.privateEntries(userId), true);
  }

  private Space joined(String room) {
    return new Space(room(room).entries(), role(room).writes());
  }

  private InMemoryRoom room(String room) {
    InMemoryRoom found = spaces.rooms().get(Key.of(room));
    if (found == null) {
      throw notAMember();
    }
    return found;
  }

  private Role role(String room) {
    InMemoryRoom found = room(room);
    return isUnrestricted
        ? Role.OWNER
        : found.role(userId).orElseThrow(InMemoryTransaction::notAMember);
  }

  private void requireOwner(String room) {
    if (role(room) != Role.OWNER) {
      throw new RejectedException(RejectionCode.FORBIDDEN);
    }
  }

  private void requireAnotherOwner(String room, String member) {
    if (room(room).isLastOwner(member)) {
      throw new RejectedException(RejectionCode.LAST_OWNER);
    }
  }

  /// To someone who is not a member a room does not exist.
  private static RejectedException notAMember() {
    return new RejectedException(RejectionCode.NOT_A_MEMBER);
  }

  private static void requireWritable(Space space) {
    if (!space.isWritable) {
      throw new RejectedException(RejectionCode.FORBIDDEN);
    }
  }

  private static void requireId(String id) {
    if (!Id.mayBeMade(id)) {
      throw new RejectedException(RejectionCode.BAD_ID);
    }
  }

  private static Map<Key, JsonValue> range(NavigableMap<Key, JsonValue> entries, KeyRange keys) {
    NavigableMap<Key, JsonValue> from = entries.tailMap(keys.first(), true);
    Optional<Key> after = keys.prefix().afterPrefix();
    if (after.isEmpty()) {
      return from;
    }
    boolean isBeyond = keys.first().compareTo(after.get()) >= 0;
    return isBeyond ? Collections.emptyNavigableMap() : from.headMap(after.get(), false);
  }
}
