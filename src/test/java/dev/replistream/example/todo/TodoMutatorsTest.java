package dev.replistream.example.todo;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.InMemoryStore;
import dev.replistream.api.JsonValue;
import dev.replistream.api.RejectedException;
import dev.replistream.rules.MutatorRegistry;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/// How an application tests its mutators: without a server and without a database.
class TodoMutatorsTest {
  private final InMemoryStore store = new InMemoryStore();
  private final MutatorRegistry mutators =
      MutatorRegistry.of(List.of(new TodoMutators()), Optional.of(true));

  private void run(String userId, String name, String args) {
    store.run(userId, mutators.find(name).orElseThrow(), JsonValue.parse(args));
  }

  private void isRejected(String userId, String name, String args) {
    assertThatThrownBy(() -> run(userId, name, args)).isInstanceOf(RejectedException.class);
  }

  private String view(String userId) {
    return JsonValue.object(store.view(userId)).toJson();
  }

  private void createList(String userId, String id) {
    run(
        userId,
        "createList",
        "{\"id\":\"%s\",\"ownerID\":\"%s\",\"name\":\"Home\"}".formatted(id, userId));
  }

  private void createTodo(String userId, String id) {
    run(
        userId,
        "createTodo",
        "{\"id\":\"%s\",\"listID\":\"1\",\"text\":\"Eat\",\"completed\":false}".formatted(id));
  }

  private void share(String id, String userId) {
    run(
        "alice",
        "createShare",
        "{\"id\":\"%s\",\"listID\":\"1\",\"userID\":\"%s\"}".formatted(id, userId));
    if (!isIn(userId, "alice/1")) {
      store.join(userId, "alice/1");
    }
  }

  private boolean isIn(String userId, String room) {
    AtomicBoolean isIn = new AtomicBoolean();
    store.run(
        userId,
        transaction ->
            isIn.set(transaction.rooms().stream().anyMatch(each -> each.room().equals(room))));
    return isIn.get();
  }

  @Test
  void aListIsItsOwnersAlone() {
    createList("alice", "1");

    assertThat(view("alice"))
        .isEqualTo("{\"list/1\":{\"id\":\"1\",\"name\":\"Home\",\"ownerID\":\"alice\"}}");
    assertThat(view("bob")).isEqualTo("{}");
  }

  @Test
  void nobodyMakesAListForSomebodyElse() {
    isRejected("bob", "createList", "{\"id\":\"1\",\"ownerID\":\"alice\",\"name\":\"Home\"}");
  }

  @Test
  void aListIsMadeOnce() {
    createList("alice", "1");

    isRejected("alice", "createList", "{\"id\":\"1\",\"ownerID\":\"alice\",\"name\":\"Other\"}");
  }

  @Test
  void aNewTodoComesLast() {
    createList("alice", "1");
    createTodo("alice", "b");
    run("alice", "updateTodo", "{\"id\":\"b\",\"sort\":7.5}");

    createTodo("alice", "a");

    assertThat(store.view("alice").get("todo/a"))
        .isEqualTo(
            JsonValue.parse(
                "{\"id\":\"a\",\"listID\":\"1\",\"text\":\"Eat\",\"completed\":false,\"sort\":8.5}"));
  }

  @Test
  void theFirstTodoOfAListIsNumberOne() {
    createList("alice", "1");
    createTodo("alice", "a");

    assertThat(view("alice")).contains("\"sort\":1}");
  }

  @Test
  void aTodoNeedsAListThatTheUserSees() {
    createList("alice", "1");

    isRejected(
        "bob", "createTodo", "{\"id\":\"a\",\"listID\":\"1\",\"text\":\"\",\"completed\":true}");
  }

  @Test
  void anUpdateChangesWhatItNamesAndNothingElse() {
    createList("alice", "1");
    createTodo("alice", "a");

    run("alice", "updateTodo", "{\"id\":\"a\",\"completed\":true}");
    run("alice", "updateTodo", "{\"id\":\"a\",\"text\":\"Drink\",\"listID\":\"2\"}");

    assertThat(store.view("alice").get("todo/a"))
        .isEqualTo(
            JsonValue.parse(
                "{\"id\":\"a\",\"listID\":\"1\",\"text\":\"Drink\",\"completed\":true,\"sort\":1}"));
  }

  @Test
  void anUpdateOfATodoThatIsGoneIsRejected() {
    createList("alice", "1");
    createTodo("alice", "a");
    run("alice", "deleteTodo", "\"a\"");

    isRejected("alice", "updateTodo", "{\"id\":\"a\",\"completed\":true}");
    assertThat(store.view("alice")).doesNotContainKey("todo/a");
  }

  @Test
  void whoAListIsSharedWithSeesAndWritesIt() {
    createList("alice", "1");
    createTodo("alice", "a");
    share("s", "bob");

    createTodo("bob", "b");
    run("bob", "updateTodo", "{\"id\":\"a\",\"completed\":true}");
    run("bob", "deleteTodo", "\"b\"");

    assertThat(view("bob"))
        .isEqualTo(view("alice"))
        .contains("\"completed\":true")
        .contains("\"share/s\":{\"id\":\"s\",\"listID\":\"1\",\"userID\":\"bob\"}")
        .doesNotContain("todo/b");
  }

  @ParameterizedTest
  @ValueSource(strings = {"alice", "bob"})
  void whoAListIsSharedWithNoMoreSeesNothingOfIt(String who) {
    createList("alice", "1");
    createTodo("alice", "a");
    share("s", "bob");

    run(who, "deleteShare", "\"s\"");

    assertThat(view("bob")).isEqualTo("{}");
    assertThat(store.view("alice").sequencedKeySet()).containsExactly("list/1", "todo/a");
  }

  @Test
  void aListThatIsSharedTwiceWithAUserStaysSharedUntilBothSharesAreGone() {
    createList("alice", "1");
    share("s", "bob");
    share("t", "bob");

    run("alice", "deleteShare", "\"s\"");
    assertThat(store.view("bob").sequencedKeySet()).containsExactly("list/1", "share/t");

    run("alice", "deleteShare", "\"t\"");
    assertThat(view("bob")).isEqualTo("{}");
  }

  @Test
  void onlyTheOwnerSharesAndDeletesAList() {
    createList("alice", "1");
    share("s", "bob");
    share("t", "carol");

    isRejected("bob", "createShare", "{\"id\":\"u\",\"listID\":\"1\",\"userID\":\"eve\"}");
    isRejected("bob", "deleteShare", "\"t\"");
    isRejected("bob", "deleteList", "\"1\"");
    isRejected("eve", "deleteShare", "\"s\"");

    assertThat(store.view("carol")).containsKeys("list/1", "share/s", "share/t");
  }

  @Test
  void aListIsNotSharedWithItsOwner() {
    createList("alice", "1");

    isRejected("alice", "createShare", "{\"id\":\"s\",\"listID\":\"1\",\"userID\":\"alice\"}");

    createTodo("alice", "a");
  }

  @Test
  void aDeletedListIsGoneForAllWithAllThatBelongsToIt() {
    createList("alice", "1");
    createList("alice", "2");
    createTodo("alice", "a");
    share("s", "bob");

    run("alice", "deleteList", "\"1\"");

    assertThat(store.view("alice").sequencedKeySet()).containsExactly("list/2");
    assertThat(view("bob")).isEqualTo("{}");
  }

  @Test
  void twoUsersWhoMakeUpTheSameIdsDoNotMeet() {
    for (String user : List.of("alice", "bob")) {
      createList(user, "1");
      createTodo(user, "a");
    }

    run("bob", "updateTodo", "{\"id\":\"a\",\"text\":\"Drink\"}");
    run("bob", "deleteList", "\"1\"");

    assertThat(store.view("alice").get("todo/a"))
        .isEqualTo(
            JsonValue.parse(
                "{\"id\":\"a\",\"listID\":\"1\",\"text\":\"Eat\",\"completed\":false,\"sort\":1}"));
  }

  @Test
  void aSlashInAUsersIdDoesNotLeadIntoAnothersRoom() {
    createList("a", "b/c");
    createList("a/b", "c");
    createList("a~1b", "c");

    for (String user : List.of("a", "a/b", "a~1b")) {
      assertThat(store.view(user)).hasSize(1);
    }
  }

  @Test
  void aListOfTheSameIdThatIsSharedDoesNotHarmOnesOwn() {
    createList("alice", "1");
    createTodo("alice", "a");
    createList("bob", "1");
    createTodo("bob", "b");
    share("s", "bob");

    run("alice", "deleteShare", "\"s\"");

    assertThat(store.view("bob").sequencedKeySet()).containsExactly("list/1", "todo/b");
    assertThat(store.view("alice").sequencedKeySet()).containsExactly("list/1", "todo/a");
  }

  @ParameterizedTest
  @ValueSource(strings = {"put", "patch", "del"})
  void theBuiltInMutatorsAreShut(String name) {
    createList("alice", "1");

    isRejected("alice", name, "{\"key\":\"list/1\",\"value\":1,\"merge\":{}}");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "createList|{\"id\":1,\"ownerID\":\"alice\",\"name\":\"\"}",
        "createList|{\"id\":\"2\",\"ownerID\":\"alice\"}",
        "createList|{\"id\":\"2\\u0000\",\"ownerID\":\"alice\",\"name\":\"\"}",
        "deleteList|{\"id\":\"1\"}",
        "createTodo|{\"id\":\"a\",\"listID\":\"1\",\"text\":\"\",\"completed\":\"no\"}",
        "createTodo|null",
        "updateTodo|{\"id\":\"t\",\"text\":null}",
        "updateTodo|{\"id\":\"t\",\"completed\":1}",
        "updateTodo|{\"id\":\"t\",\"sort\":1e400}",
        "deleteTodo|7",
        "createShare|{\"id\":\"s\",\"listID\":\"1\",\"userID\":\"\"}",
        "deleteShare|[]",
      })
  void badArgumentsAreRejectedAndChangeNothing(String name, String args) {
    createList("alice", "1");
    createTodo("alice", "t");
    String before = view("alice");

    isRejected("alice", name, args);

    assertThat(view("alice")).isEqualTo(before);
  }
}
