package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValueException;
import dev.replistream.api.Key;
import dev.replistream.api.Member;
import dev.replistream.api.Membership;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import dev.replistream.api.Scan;
import dev.replistream.api.Transaction;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Consumer;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/// Every rule of {@link Transaction}, for each implementation. Each test begins without data.
abstract class TransactionContractTest {
  /// How long a value may be in the implementation under test.
  static final int MAX_VALUE_BYTES = 2000;

  private static final JsonValue ONE = JsonValue.of(1);
  private static final JsonValue TWO = JsonValue.of(2);
  private static final JsonValue THREE = JsonValue.of(3);

  /// Runs `work` in a transaction of `userId`: commits when it returns, rolls back when it throws,
  /// and throws the same on.
  abstract void run(String userId, Consumer<Transaction> work);

  private <T> T read(String userId, Function<Transaction, T> reader) {
    AtomicReference<Optional<T>> read = new AtomicReference<>(Optional.empty());
    run(userId, transaction -> read.set(Optional.of(reader.apply(transaction))));
    return read.get().orElseThrow();
  }

  private Optional<JsonValue> get(String userId, String key) {
    return read(userId, transaction -> transaction.get(key));
  }

  private boolean has(String userId, String key) {
    return read(userId, transaction -> transaction.has(key));
  }

  private boolean has(String userId, String room, String key) {
    return read(userId, transaction -> transaction.has(room, key));
  }

  private List<Transaction.Entry> scan(String userId, String prefix) {
    return read(userId, transaction -> transaction.scan(prefix));
  }

  private List<Transaction.Entry> scan(String userId, String room, String prefix) {
    return read(userId, transaction -> transaction.scan(room, prefix));
  }

  private boolean delete(String userId, String key) {
    return read(userId, transaction -> transaction.delete(key));
  }

  private List<Membership> rooms(String userId) {
    return read(userId, Transaction::rooms);
  }

  private List<Member> members(String userId, String room) {
    return read(userId, transaction -> transaction.members(room));
  }

  private boolean removeMember(String userId, String room, String member) {
    return read(userId, transaction -> transaction.removeMember(room, member));
  }

  private void isRejected(String userId, Consumer<Transaction> work) {
    assertThatThrownBy(() -> run(userId, work)).isInstanceOf(RejectedException.class);
  }

  /// A room of alice's with members of every role: alice owns, will writes, rita reads.
  private void createTeam(String room) {
    run(
        "alice",
        transaction -> {
          transaction.createRoom(room);
          transaction.unrestricted().putMember(room, "will", Role.WRITER);
          transaction.unrestricted().putMember(room, "rita", Role.READER);
        });
  }

  private static List<String> keys(List<Transaction.Entry> entries) {
    return entries.stream().map(Transaction.Entry::key).toList();
  }

  // what everybody sees

  @Test
  void aTransactionKnowsItsUser() {
    run("alice", transaction -> assertThat(transaction.userId()).isEqualTo("alice"));
  }

  @Test
  void aTransactionKnowsItsMutationAndWhatTheTokenSaid() {
    run(
        "alice",
        transaction -> {
          for (Transaction each : List.of(transaction, transaction.unrestricted())) {
            assertThat(each.clientID()).isNotEmpty().isEqualTo(transaction.clientID());
            assertThat(each.mutationID()).isPositive().isEqualTo(transaction.mutationID());
            assertThat(each.claims())
                .isEqualTo(JsonValue.object(Map.of("sub", JsonValue.of("alice"))));
          }
        });
  }

  @Test
  void anEmptyStoreHasNothing() {
    run(
        "alice",
        transaction -> {
          assertThat(transaction.get("k")).isEmpty();
          assertThat(transaction.has("k")).isFalse();
          assertThat(transaction.scan("")).isEmpty();
          assertThat(transaction.isEmpty()).isTrue();
          assertThat(transaction.delete("k")).isFalse();
          assertThat(transaction.rooms()).isEmpty();
        });
  }

  @Test
  void whatWasPutIsThereInTheSameTransactionAndInTheNext() {
    run(
        "alice",
        transaction -> {
          transaction.put("k", ONE);
          assertThat(transaction.get("k")).contains(ONE);
          assertThat(transaction.has("k")).isTrue();
          transaction.put("k", TWO);
          assertThat(transaction.scan("")).containsExactly(new Transaction.Entry("k", TWO));
        });

    assertThat(get("alice", "k")).contains(TWO);
  }

  @Test
  void whatWasDeletedIsGone() {
    run("alice", transaction -> transaction.put("k", ONE));

    run(
        "alice",
        transaction -> {
          assertThat(transaction.delete("k")).isTrue();
          assertThat(transaction.delete("k")).isFalse();
          assertThat(transaction.has("k")).isFalse();
          assertThat(transaction.scan("")).isEmpty();
        });

    assertThat(get("alice", "k")).isEmpty();
  }

  @Test
  void aDeletedKeyCanBePutAgain() {
    run("alice", transaction -> transaction.put("k", ONE));
    run("alice", transaction -> transaction.delete("k"));
    run("alice", transaction -> transaction.put("k", TWO));

    assertThat(get("alice", "k")).contains(TWO);
  }

  @Test
  void nothingOfATransactionThatThrowsIsKept() {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));

    assertThatThrownBy(() ->
            run(
                "alice",
                transaction -> {
                  transaction.put("team", "k", TWO);
                  transaction.put("new", TWO);
                  transaction.createRoom("other");
                  transaction.unrestricted().putMember("team", "eve", Role.READER);
                  transaction.removeMember("team", "will");
                  throw new IllegalStateException("a bug");
                }))
        .isInstanceOf(IllegalStateException.class)
        .hasMessage("a bug");

    run(
        "alice",
        transaction -> {
          assertThat(transaction.scan("")).containsExactly(new Transaction.Entry("k", ONE));
          assertThat(transaction.rooms()).extracting(Membership::room).containsExactly("team");
          assertThat(transaction.members("team"))
              .extracting(Member::userId)
              .containsExactly("alice", "rita", "will");
        });
  }

  @Test
  void aPrivateSpaceIsNobodyElses() {
    run("alice", transaction -> transaction.put("k", ONE));

    assertThat(get("bob", "k")).isEmpty();
    assertThat(delete("bob", "k")).isFalse();
    assertThat(get("alice", "k")).contains(ONE);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "1.0",
        "-1.7976931348623157e308",
        "1e-400",
        "\"\\ud800\"",
        "\"\\u0000 \uD83D\uDE00 \u2028\"",
        "{\"b\":[],\"a\":{},\"\":[null,true,{\"x\":-0}]}",
      })
  void aValueComesBackAsItWasPut(String json) {
    JsonValue value = JsonValue.parse(json);
    run("alice", transaction -> transaction.put("k", value));

    run(
        "alice",
        transaction -> {
          assertThat(transaction.get("k")).contains(value);
          assertThat(transaction.scan("k")).containsExactly(new Transaction.Entry("k", value));
        });
  }

  @ParameterizedTest
  @ValueSource(strings = {"1e400", "-1e999999999", "1.8e308", "{\"a\":[0,{\"b\":1E+309}]}"})
  void aNumberThatJavaScriptReadsAsInfinityIsRejected(String json) {
    JsonValue value = JsonValue.parse(json);

    isRejected("alice", transaction -> transaction.put("k", value));

    assertThat(has("alice", "k")).isFalse();
  }

  @Test
  void jsonNullIsAValueAndNotAnAbsence() {
    run("alice", transaction -> transaction.put("k", JsonValue.ofNull()));

    assertThat(has("alice", "k")).isTrue();
    assertThat(delete("alice", "k")).isTrue();
  }

  // keys

  @Test
  void keysAreOrderedAsUtf8Bytes() {
    List<String> ordered =
        List.of("", "\0", "a", "a\0", "é", "\uD800", "\uFFFF", "\uD83D\uDE00", "\uDBFF\uDFFF");
    createTeam("team");
    run("alice", transaction -> ordered.reversed().forEach(key -> transaction.put(key, ONE)));
    run("alice", transaction -> ordered.forEach(key -> transaction.put("team", key, ONE)));

    run(
        "alice",
        transaction -> {
          assertThat(keys(transaction.scan(""))).containsExactlyElementsOf(ordered);
          assertThat(keys(transaction.scan("team", ""))).containsExactlyElementsOf(ordered);
        });
  }

  @Test
  void composedAndDecomposedKeysAreTwo() {
    run(
        "alice",
        transaction -> {
          transaction.put("é", ONE);
          transaction.put("e\u0301", TWO);

          assertThat(transaction.get("é")).contains(ONE);
          assertThat(transaction.scan("")).hasSize(2);
        });
  }

  @Test
  void aScanGivesWhatBeginsWithItsPrefixAndNothingElse() {
    createTeam("team");
    for (String key : List.of("list", "list/", "list/1", "list/2", "list0", "lisz", "LIST/1")) {
      run("alice", transaction -> transaction.put(key, ONE));
      run("alice", transaction -> transaction.put("team", key, ONE));
    }

    run(
        "alice",
        transaction -> {
          assertThat(keys(transaction.scan("list/"))).containsExactly("list/", "list/1", "list/2");
          assertThat(keys(transaction.scan("team", "list/1"))).containsExactly("list/1");
          assertThat(transaction.scan("x")).isEmpty();
          assertThat(transaction.scan("%")).isEmpty();
          assertThat(transaction.scan("list_")).isEmpty();
        });
  }

  @Test
  void aKeyOf1024BytesIsPut() {
    String key = "é".repeat(512);
    run("alice", transaction -> transaction.put(key, ONE));

    assertThat(get("alice", key)).contains(ONE);
  }

  @Test
  void aLongerKeyIsRejectedWhenPutAndNeverFound() {
    String key = "é".repeat(512) + "a";
    createTeam("team");

    isRejected("alice", transaction -> transaction.put(key, ONE));
    isRejected("alice", transaction -> transaction.put("team", key, ONE));
    run(
        "alice",
        transaction -> {
          assertThat(transaction.get(key)).isEmpty();
          assertThat(transaction.has("team", key)).isFalse();
          assertThat(transaction.scan(key)).isEmpty();
          assertThat(transaction.delete(key)).isFalse();
        });
  }

  // scans

  /// Keys in several spaces, so that those of the private one hide those of the rooms, and those of
  /// one room those of another.
  private void createShadows() {
    createTeam("team");
    createTeam("\uD83D\uDE00");
    List<String> keys =
        List.of(
            "", "a", "a/", "a/1", "a/1\0", "a/2", "a0", "b", "\uD800", "\uFFFF", "\uD83D\uDE00");
    run(
        "alice",
        transaction -> {
          for (int i = 0; i < keys.size(); i++) {
            if (i % 2 == 0) {
              transaction.put("\uD83D\uDE00", keys.get(i), JsonValue.of("emoji " + i));
            }
            if (i % 3 != 1) {
              transaction.put("team", keys.get(i), JsonValue.of("team " + i));
            }
          }
        });
    run("rita", transaction -> transaction.put("rita's", ONE));
    run(
        "alice",
        transaction ->
            transaction.unrestricted().put("team", "a".repeat(1_024), JsonValue.of("longest")));
  }

  private static final List<String> BOUNDS =
      List.of(
          "",
          "\0",
          "a",
          "a/",
          "a/1",
          "a/1\0",
          "a/3",
          "a0",
          "a\uD800",
          "b",
          "c",
          "\uD800",
          "\uDC00",
          "\uD83D",
          "\uFFFF",
          "\uD83D\uDE00",
          "\uDBFF\uDFFF",
          "a".repeat(1_023),
          "a".repeat(1_024),
          "a".repeat(1_025),
          "a".repeat(1_025) + "b",
          "b" + "\uD83D\uDE00".repeat(2_000));

  private static boolean isIn(Transaction.Entry entry, Scan scan) {
    Key key = Key.of(entry.key());
    int toStart = scan.start().map(start -> key.compareTo(Key.of(start))).orElse(1);
    return key.startsWith(Key.of(scan.prefix()))
        && (scan.isStartExclusive() ? toStart > 0 : toStart >= 0);
  }

  private static void assertGivesWhatItSays(Transaction transaction, Scan scan) {
    List<Transaction.Entry> all =
        scan.room().map(room -> transaction.scan(room, "")).orElseGet(() -> transaction.scan(""));
    assertThat(transaction.scan(scan))
        .as("%s", scan)
        .isEqualTo(all.stream().filter(each -> isIn(each, scan)).limit(scan.limit()).toList());
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "rita", "eve"})
  void aScanGivesThoseOfItsPrefixFromItsStartOnUpToItsLimit(String userId) {
    createShadows();

    run(
        userId,
        transaction -> {
          for (String prefix : List.of("", "a", "a/", "\uD800", "\uD83D", "a".repeat(1_025))) {
            for (String start : BOUNDS) {
              Scan scan = Scan.prefix(prefix);
              assertGivesWhatItSays(transaction, scan.from(start));
              for (int limit : new int[] {0, 1, 2, 5, Integer.MAX_VALUE - 1}) {
                assertGivesWhatItSays(transaction, scan.after(start).limit(limit));
                assertGivesWhatItSays(
                    transaction.unrestricted(), scan.in("team").from(start).limit(limit));
              }
            }
          }
        });
  }

  @Test
  void aScanWithALimitGivesTheValuesThatWin() {
    createShadows();
    run("alice", transaction -> transaction.put("c", ONE));
    run("eve", transaction -> transaction.put("a/", TWO));

    run(
        "alice",
        transaction ->
            assertThat(transaction.scan(Scan.prefix("a/").limit(3)))
                .containsExactly(
                    new Transaction.Entry("a/", JsonValue.of("team 2")),
                    new Transaction.Entry("a/1", JsonValue.of("team 3")),
                    new Transaction.Entry("a/1\0", JsonValue.of("emoji 4"))));
  }

  @Test
  void pagesOfAScanGiveTogetherWhatOneGives() {
    createShadows();

    run(
        "alice",
        transaction -> {
          for (int size = 1; size < 6; size++) {
            List<Transaction.Entry> all = new ArrayList<>();
            Scan scan = Scan.all().limit(size);
            List<Transaction.Entry> page = transaction.scan(scan);
            while (!page.isEmpty()) {
              all.addAll(page);
              page = transaction.scan(scan.after(page.getLast().key()));
            }
            assertThat(all).as("pages of %d", size).isEqualTo(transaction.scan(""));
          }
        });
  }

  @Test
  void aScanSeesWhatItsTransactionHasWritten() {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "a", ONE));

    run(
        "alice",
        transaction -> {
          transaction.put("team", "b", TWO);
          transaction.delete("team", "a");
          assertThat(keys(transaction.scan(Scan.all().limit(1)))).containsExactly("b");
          transaction.createRoom("new");
          transaction.put("new", "a", THREE);
          assertThat(keys(transaction.scan(Scan.all().limit(2)))).containsExactly("a", "b");
          transaction.deleteRoom("team");
          assertThat(keys(transaction.scan(Scan.all().limit(2)))).containsExactly("a");
        });
  }

  @Test
  void aViewIsEmptyWhereNoSpaceHasAnEntryAndARoomWhereItHasNone() {
    createTeam("team");
    run("alice", transaction -> transaction.put("k", ONE));

    run(
        "alice",
        transaction -> {
          assertThat(transaction.isEmpty()).isFalse();
          assertThat(transaction.isEmpty("team")).isTrue();
          transaction.put("team", "k", TWO);
          transaction.delete("k");
          assertThat(transaction.isEmpty()).isFalse();
          assertThat(transaction.isEmpty("team")).isFalse();
          transaction.delete("k");
          assertThat(transaction.isEmpty()).isTrue();
        });
    run("eve", transaction -> assertThat(transaction.isEmpty()).isTrue());
  }

  @Test
  void whatIsUnrestrictedScansAnyRoomButSeesTheCallersView() {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));

    run(
        "eve",
        transaction -> {
          Transaction unrestricted = transaction.unrestricted();
          assertThat(keys(unrestricted.scan(Scan.all().in("team").limit(1)))).containsExactly("k");
          assertThat(unrestricted.isEmpty("team")).isFalse();
          assertThat(unrestricted.scan(Scan.all().limit(1))).isEmpty();
          assertThat(unrestricted.isEmpty()).isTrue();
        });
  }

  // values

  @Test
  void aValueAsLongAsTheLimitIsPut() {
    JsonValue value = JsonValue.of("é".repeat((MAX_VALUE_BYTES - 2) / 2));
    run("alice", transaction -> transaction.put("k", value));

    assertThat(get("alice", "k")).contains(value);
  }

  @Test
  void aLongerValueIsRejected() {
    JsonValue value = JsonValue.of("é".repeat((MAX_VALUE_BYTES - 2) / 2) + "a");
    createTeam("team");

    isRejected("alice", transaction -> transaction.put("k", value));
    isRejected("alice", transaction -> transaction.put("team", "k", value));
  }

  @Test
  void aValueThatNestsTooDeepIsRefused() {
    AtomicReference<JsonValue> deep = new AtomicReference<>(ONE);
    for (int depth = 0; depth < 513; depth++) {
      deep.set(JsonValue.array(deep.get()));
    }

    assertThatThrownBy(() -> run("alice", transaction -> transaction.put("k", deep.get())))
        .isInstanceOf(JsonValueException.class);
  }

  // rooms as spaces

  @Test
  void membersSeeWhatStandsInARoom() {
    createTeam("team");
    run("will", transaction -> transaction.put("team", "k", ONE));

    for (String user : List.of("alice", "will", "rita")) {
      run(
          user,
          transaction -> {
            assertThat(transaction.get("k")).contains(ONE);
            assertThat(transaction.get("team", "k")).contains(ONE);
            assertThat(transaction.has("team", "k")).isTrue();
            assertThat(transaction.scan("")).containsExactly(new Transaction.Entry("k", ONE));
            assertThat(transaction.scan("team", ""))
                .containsExactly(new Transaction.Entry("k", ONE));
          });
    }
    run(
        "eve",
        transaction -> {
          assertThat(transaction.get("k")).isEmpty();
          assertThat(transaction.scan("")).isEmpty();
        });
  }

  static List<Consumer<Transaction>> usesOfARoom() {
    return List.of(
        transaction -> transaction.get("team", "k"),
        transaction -> transaction.has("team", "k"),
        transaction -> transaction.scan("team", ""),
        transaction -> transaction.scan(Scan.all().in("team").limit(0)),
        transaction -> transaction.scan(Scan.prefix("a".repeat(1_025)).in("team")),
        transaction -> transaction.isEmpty("team"),
        transaction -> transaction.put("team", "k", ONE),
        transaction -> transaction.delete("team", "k"),
        transaction -> transaction.members("team"),
        transaction -> transaction.putMember("team", "eve", Role.WRITER),
        transaction -> transaction.removeMember("team", "alice"),
        transaction -> transaction.removeMember("team", "eve"),
        transaction -> transaction.deleteRoom("team"));
  }

  @ParameterizedTest
  @MethodSource("usesOfARoom")
  void aStrangerCantTellARoomFromNone(Consumer<Transaction> use) {
    assertThatThrownBy(() -> run("eve", use)).isInstanceOf(RejectedException.class);
    String withoutRoom = rejection("eve", use);
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));

    assertThat(rejection("eve", use)).isEqualTo(withoutRoom);
  }

  private String rejection(String userId, Consumer<Transaction> work) {
    try {
      run(userId, work);
    } catch (RejectedException e) {
      return String.valueOf(e.getMessage());
    }
    throw new AssertionError("not rejected");
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\0", "\uD800"})
  void whatCantBeARoomIsNoneOfTheCallers(String room) {
    isRejected("alice", transaction -> transaction.get(room, "k"));
    isRejected("alice", transaction -> transaction.put(room, "k", ONE));
    isRejected("alice", transaction -> transaction.members(room));
    isRejected("alice", transaction -> transaction.deleteRoom(room));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "a\0", "\uD800"})
  void whatCantBeAUserIsNoMember(String user) {
    createTeam("team");

    run("alice", transaction -> assertThat(transaction.removeMember("team", user)).isFalse());
    isRejected(
        "alice", transaction -> transaction.unrestricted().putMember("team", user, Role.READER));
  }

  static List<Consumer<Transaction>> writesOfAReader() {
    return List.of(
        transaction -> transaction.put("team", "k", TWO),
        transaction -> transaction.put("team", "new", TWO),
        transaction -> transaction.put("k", TWO),
        transaction -> transaction.delete("team", "k"),
        transaction -> transaction.delete("team", "absent"),
        transaction -> transaction.delete("k"));
  }

  @ParameterizedTest
  @MethodSource("writesOfAReader")
  void aReaderMayNotWrite(Consumer<Transaction> write) {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));

    isRejected("rita", write);

    assertThat(scan("alice", "team", "")).containsExactly(new Transaction.Entry("k", ONE));
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "will"})
  void ownersAndWritersMayWrite(String user) {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));

    run(
        user,
        transaction -> {
          transaction.put("team", "k", TWO);
          transaction.put("team", "l", ONE);
          assertThat(transaction.delete("team", "k")).isTrue();
          assertThat(transaction.delete("team", "k")).isFalse();
        });

    assertThat(keys(scan("rita", ""))).containsExactly("l");
  }

  @Test
  void aReaderMayWriteInItsOwnSpaceAlongside() {
    createTeam("team");
    run("rita", transaction -> transaction.put("mine", ONE));

    assertThat(get("rita", "mine")).contains(ONE);
  }

  @Test
  void ofAKeyInSeveralSpacesThePrivateOneWinsThenTheRoomWhoseIdComesFirst() {
    for (String room : List.of("\uFFFF", "b", "\uD83D\uDE00")) {
      run("alice", transaction -> transaction.createRoom(room));
      run("alice", transaction -> transaction.put(room, "k", JsonValue.of(room)));
    }

    assertThat(get("alice", "k")).contains(JsonValue.of("b"));
    run("alice", transaction -> transaction.delete("b", "k"));
    assertThat(get("alice", "k")).contains(JsonValue.of("\uFFFF"));
    assertThat(scan("alice", ""))
        .containsExactly(new Transaction.Entry("k", JsonValue.of("\uFFFF")));
  }

  @Test
  void thePrivateSpaceHidesARoomsEntry() {
    run("alice", transaction -> transaction.put("k", ONE));
    run("alice", transaction -> transaction.createRoom("a"));
    run("alice", transaction -> transaction.put("a", "k", TWO));

    run(
        "alice",
        transaction -> {
          assertThat(transaction.get("k")).contains(ONE);
          assertThat(transaction.get("a", "k")).contains(TWO);
          assertThat(transaction.scan("")).containsExactly(new Transaction.Entry("k", ONE));
        });
  }

  @Test
  void aWriteGoesWhereTheKeyIsVisible() {
    for (String room : List.of("b", "a")) {
      run("alice", transaction -> transaction.createRoom(room));
      run("alice", transaction -> transaction.put(room, "k", ONE));
    }

    run("alice", transaction -> transaction.put("k", TWO));

    run(
        "alice",
        transaction -> {
          assertThat(transaction.get("a", "k")).contains(TWO);
          assertThat(transaction.get("b", "k")).contains(ONE);
        });
  }

  @Test
  void aWriteOfAKeyThatIsNowhereGoesIntoThePrivateSpace() {
    createTeam("team");
    run("alice", transaction -> transaction.put("k", ONE));

    assertThat(has("alice", "team", "k")).isFalse();
    assertThat(has("will", "k")).isFalse();
  }

  @Test
  void aDeletionUncoversWhatTheEntryHid() {
    run("alice", transaction -> transaction.put("k", ONE));
    run("alice", transaction -> transaction.createRoom("a"));
    run("alice", transaction -> transaction.put("a", "k", TWO));

    run(
        "alice",
        transaction -> {
          assertThat(transaction.delete("k")).isTrue();
          assertThat(transaction.get("k")).contains(TWO);
          assertThat(transaction.delete("k")).isTrue();
          assertThat(transaction.get("k")).isEmpty();
        });
  }

  // rooms and members

  @Test
  void whoCreatesARoomOwnsItAtOnce() {
    Instant before = Instant.now().minusSeconds(1);
    run(
        "alice",
        transaction -> {
          transaction.createRoom("team");
          transaction.put("team", "k", ONE);
          assertThat(transaction.get("k")).contains(ONE);
          assertThat(transaction.rooms()).containsExactly(new Membership("team", Role.OWNER));
        });

    List<Member> members = members("alice", "team");
    assertThat(members).extracting(Member::userId).containsExactly("alice");
    assertThat(members).extracting(Member::role).containsExactly(Role.OWNER);
    assertThat(members.getFirst().since()).isBetween(before, Instant.now().plusSeconds(1));
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "bob"})
  void aTakenIdIsRejectedWhoeverHasIt(String user) {
    run("alice", transaction -> transaction.createRoom("team"));

    isRejected(user, transaction -> transaction.createRoom("team"));
  }

  @Test
  void whatCantBeAnIdIsRejected() {
    for (String id : List.of("", ".", "..", "a\n", "\uD800", "r".repeat(129))) {
      isRejected("alice", transaction -> transaction.createRoom(id));
    }
    run("alice", transaction -> transaction.createRoom("r".repeat(128)));
    for (String id : List.of("", ".", "..", "a\n", "\uD800", "u".repeat(129))) {
      isRejected(
          "alice",
          transaction -> transaction.unrestricted().putMember("r".repeat(128), id, Role.WRITER));
      isRejected("alice", transaction -> transaction.invite("r".repeat(128), id, Role.WRITER));
    }
  }

  @Test
  void roomsAndMembersAreOrderedAsUtf8Bytes() {
    List<String> ids = List.of("a", "b", "é", "\uFFFF", "\uD83D\uDE00");
    run("a", transaction -> ids.reversed().forEach(transaction::createRoom));
    run(
        "a",
        transaction ->
            ids.reversed()
                .forEach(id -> transaction.unrestricted().putMember("a", id, Role.OWNER)));

    run(
        "a",
        transaction -> {
          assertThat(transaction.rooms())
              .extracting(Membership::room)
              .containsExactlyElementsOf(ids);
          assertThat(transaction.members("a"))
              .extracting(Member::userId)
              .containsExactlyElementsOf(ids);
        });
  }

  @Test
  void everyMemberSeesTheMembersAndItsOwnRole() {
    createTeam("team");

    for (String user : List.of("alice", "will", "rita")) {
      assertThat(members(user, "team"))
          .extracting(Member::userId)
          .containsExactly("alice", "rita", "will");
    }
    assertThat(rooms("rita")).containsExactly(new Membership("team", Role.READER));
    assertThat(rooms("eve")).isEmpty();
  }

  @Test
  void anotherRoleIsAnotherRoleSinceTheSameTime() {
    createTeam("team");
    Instant since = member("rita").since();

    run("alice", transaction -> transaction.putMember("team", "rita", Role.WRITER));
    run("rita", transaction -> transaction.put("team", "k", ONE));

    assertThat(member("rita")).isEqualTo(new Member("rita", Role.WRITER, since));
  }

  private Member member(String userId) {
    return members("alice", "team").stream()
        .filter(member -> member.userId().equals(userId))
        .findFirst()
        .orElseThrow();
  }

  @ParameterizedTest
  @CsvSource({"will, eve", "will, will", "will, rita", "rita, rita", "rita, alice"})
  void onlyOwnersGiveRoles(String caller, String user) {
    createTeam("team");

    isRejected(caller, transaction -> transaction.putMember("team", user, Role.OWNER));
    isRejected(caller, transaction -> transaction.deleteRoom("team"));
  }

  @ParameterizedTest
  @CsvSource({"will, rita", "rita, will", "rita, alice", "will, eve"})
  void othersTakeOutNobodyButThemselves(String caller, String user) {
    createTeam("team");

    isRejected(caller, transaction -> transaction.removeMember("team", user));
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "rita"})
  void aMemberWhoIsOutSeesTheRoomNoMore(String caller) {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));

    assertThat(removeMember(caller, "team", "rita")).isTrue();

    run(
        "rita",
        transaction -> {
          assertThat(transaction.get("k")).isEmpty();
          assertThat(transaction.rooms()).isEmpty();
        });
    isRejected("rita", transaction -> transaction.get("team", "k"));
  }

  @Test
  void whoWasNoMemberCantBeTakenOut() {
    createTeam("team");

    assertThat(removeMember("alice", "team", "eve")).isFalse();
  }

  @ParameterizedTest
  @EnumSource(
      value = Role.class,
      names = {"WRITER", "READER"})
  void theLastOwnerStaysOne(Role role) {
    createTeam("team");

    isRejected("alice", transaction -> transaction.putMember("team", "alice", role));
    isRejected("alice", transaction -> transaction.removeMember("team", "alice"));

    assertThat(rooms("alice")).containsExactly(new Membership("team", Role.OWNER));
  }

  @Test
  void theLastOwnerMayBeMadeOwnerAgain() {
    createTeam("team");
    run("alice", transaction -> transaction.putMember("team", "alice", Role.OWNER));

    assertThat(member("alice").role()).isEqualTo(Role.OWNER);
  }

  @Test
  void oneOfTwoOwnersMayGo() {
    createTeam("team");
    run("alice", transaction -> transaction.putMember("team", "will", Role.OWNER));

    run("will", transaction -> transaction.putMember("team", "alice", Role.READER));

    isRejected("alice", transaction -> transaction.put("team", "k", ONE));
    isRejected("will", transaction -> transaction.removeMember("team", "will"));
    assertThat(removeMember("alice", "team", "alice")).isTrue();
  }

  @Test
  void aDeletedRoomIsGoneWithItsEntriesAndMembers() {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));
    run("alice", transaction -> transaction.put("mine", TWO));

    run(
        "alice",
        transaction -> {
          transaction.deleteRoom("team");
          assertThat(keys(transaction.scan(""))).containsExactly("mine");
          assertThat(transaction.rooms()).isEmpty();
        });

    assertThat(rooms("will")).isEmpty();
    assertThat(scan("will", "")).isEmpty();
    isRejected("alice", transaction -> transaction.get("team", "k"));
  }

  @Test
  void aNewRoomOfAnOldIdBeginsEmpty() {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));
    run("alice", transaction -> transaction.deleteRoom("team"));

    run("bob", transaction -> transaction.createRoom("team"));

    run(
        "bob",
        transaction -> {
          assertThat(transaction.scan("team", "")).isEmpty();
          assertThat(transaction.members("team")).extracting(Member::userId).containsExactly("bob");
          transaction.put("team", "k", THREE);
          assertThat(transaction.get("k")).contains(THREE);
        });
    assertThat(rooms("alice")).isEmpty();
  }

  @Test
  void aRoomMayBeDeletedAndCreatedInOneTransaction() {
    createTeam("team");
    run("alice", transaction -> transaction.put("team", "k", ONE));

    run(
        "alice",
        transaction -> {
          transaction.deleteRoom("team");
          transaction.createRoom("team");
          assertThat(transaction.get("k")).isEmpty();
          transaction.put("team", "l", TWO);
        });

    assertThat(scan("alice", "")).containsExactly(new Transaction.Entry("l", TWO));
    assertThat(rooms("will")).isEmpty();
  }

  @Test
  void aRoomDoesNotStandForAUsersPrivateSpace() {
    run("alice", transaction -> transaction.put("k", ONE));
    run("bob", transaction -> transaction.createRoom("alice"));

    run(
        "bob",
        transaction -> {
          assertThat(transaction.get("k")).isEmpty();
          transaction.put("alice", "k", TWO);
        });

    assertThat(get("alice", "k")).contains(ONE);
  }
}
