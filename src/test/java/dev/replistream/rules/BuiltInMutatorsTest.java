package dev.replistream.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.InMemoryStore;
import dev.replistream.api.JsonValue;
import dev.replistream.api.RejectedException;
import dev.replistream.api.Role;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BuiltInMutatorsTest {
  private static final MutatorRegistry REGISTRY = MutatorRegistry.of(List.of(), Optional.empty());

  private final InMemoryStore store = new InMemoryStore();

  private void run(String userId, String name, String args) {
    store.run(userId, REGISTRY.find(name).orElseThrow(), JsonValue.parse(args));
  }

  private String view(String userId) {
    return JsonValue.object(store.view(userId)).toJson();
  }

  private void createTeam() {
    store.run(
        "alice",
        transaction -> {
          transaction.createRoom("team");
          transaction.unrestricted().putMember("team", "bob", Role.WRITER);
          transaction.unrestricted().putMember("team", "rita", Role.READER);
        });
  }

  @Test
  void putSetsAKeyOfOnesOwn() {
    run("alice", "put", "{\"key\":\"k\",\"value\":{\"n\":1.0}}");
    run("alice", "put", "{\"key\":\"nothing\",\"value\":null,\"more\":true}");

    assertThat(view("alice")).isEqualTo("{\"k\":{\"n\":1.0},\"nothing\":null}");
    assertThat(view("bob")).isEqualTo("{}");
  }

  @Test
  void putInARoomSetsItForItsMembers() {
    createTeam();

    run("bob", "put", "{\"key\":\"k\",\"value\":1,\"room\":\"team\"}");

    assertThat(view("rita")).isEqualTo("{\"k\":1}");
  }

  @Test
  void withoutARoomAWriteGoesWhereTheKeyIsVisible() {
    createTeam();
    run("alice", "put", "{\"key\":\"k\",\"value\":{\"n\":1},\"room\":\"team\"}");

    run("bob", "put", "{\"key\":\"k\",\"value\":{\"n\":2}}");
    assertThat(view("rita")).isEqualTo("{\"k\":{\"n\":2}}");

    run("bob", "patch", "{\"key\":\"k\",\"merge\":{\"m\":3}}");
    assertThat(view("rita")).isEqualTo("{\"k\":{\"n\":2,\"m\":3}}");

    run("bob", "del", "{\"key\":\"k\"}");
    assertThat(view("rita")).isEqualTo("{}");
  }

  @Test
  void patchMergesIntoTheValueOfTheRoomThatItNames() {
    createTeam();
    run("bob", "put", "{\"key\":\"k\",\"value\":{\"mine\":1}}");
    run("bob", "put", "{\"key\":\"k\",\"value\":{\"ours\":1},\"room\":\"team\"}");

    run("bob", "patch", "{\"key\":\"k\",\"merge\":{\"b\":2},\"room\":\"team\"}");

    assertThat(view("bob")).isEqualTo("{\"k\":{\"mine\":1}}");
    assertThat(view("rita")).isEqualTo("{\"k\":{\"ours\":1,\"b\":2}}");
  }

  @Test
  void patchOfAnAbsentKeyDoesNothing() {
    createTeam();
    run("alice", "put", "{\"key\":\"k\",\"value\":{\"mine\":1}}");

    run("alice", "patch", "{\"key\":\"gone\",\"merge\":{\"done\":true}}");
    run("alice", "patch", "{\"key\":\"gone\",\"merge\":{\"done\":true},\"create\":false}");
    run("alice", "patch", "{\"key\":\"k\",\"merge\":{\"done\":true},\"room\":\"team\"}");

    assertThat(view("alice")).isEqualTo("{\"k\":{\"mine\":1}}");
    assertThat(view("rita")).isEqualTo("{}");
  }

  @Test
  void patchOfNullMergesIntoNothing() {
    run("alice", "put", "{\"key\":\"k\",\"value\":null}");

    run("alice", "patch", "{\"key\":\"k\",\"merge\":{\"a\":1,\"b\":null}}");

    assertThat(view("alice")).isEqualTo("{\"k\":{\"a\":1}}");
  }

  @Test
  void patchThatMayCreateMergesIntoNothingWhereTheKeyIsAbsent() {
    createTeam();
    run("alice", "patch", "{\"key\":\"k\",\"merge\":{\"a\":1,\"b\":null},\"create\":true}");
    run("bob", "patch", "{\"key\":\"k\",\"merge\":[1],\"room\":\"team\",\"create\":true}");

    assertThat(view("alice")).isEqualTo("{\"k\":{\"a\":1}}");
    assertThat(view("rita")).isEqualTo("{\"k\":[1]}");
  }

  @Test
  void delDeletesInTheRoomThatItNames() {
    createTeam();
    run("bob", "put", "{\"key\":\"k\",\"value\":1}");
    run("bob", "put", "{\"key\":\"k\",\"value\":2,\"room\":\"team\"}");

    run("bob", "del", "{\"key\":\"k\",\"room\":\"team\"}");

    assertThat(view("bob")).isEqualTo("{\"k\":1}");
    assertThat(view("rita")).isEqualTo("{}");
  }

  @Test
  void delOfAnAbsentKeyDoesNothing() {
    run("alice", "del", "{\"key\":\"k\"}");

    assertThat(view("alice")).isEqualTo("{}");
  }

  @ParameterizedTest
  @ValueSource(strings = {"rita", "eve"})
  void whoMayNotWriteIsRejected(String userId) {
    createTeam();
    run("alice", "put", "{\"key\":\"k\",\"value\":1,\"room\":\"team\"}");
    for (String args :
        List.of(
            "{\"key\":\"k\",\"value\":1,\"merge\":{},\"room\":\"team\"}",
            "{\"key\":\"k\",\"value\":1,\"merge\":{},\"room\":\"no such room\"}")) {
      for (String name : List.of("put", "patch", "del")) {
        assertThatThrownBy(() -> run(userId, name, args)).isInstanceOf(RejectedException.class);
      }
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "put|null|an object is needed, not null",
        "put|[]|an object is needed, not an array",
        "put|{}|the member \"key\" is missing",
        "put|{\"key\":\"secret\"}|the member \"value\" is missing",
        "put|{\"key\":7,\"value\":1}|a string is needed, not a number",
        "put|{\"key\":\"secret\",\"value\":1,\"room\":7}|a string is needed, not a number",
        "put|{\"key\":\"secret\",\"value\":1,\"room\":null}|a string is needed, not null",
        "patch|{\"key\":\"secret\"}|the member \"merge\" is missing",
        "patch|{\"merge\":{}}|the member \"key\" is missing",
        "patch|{\"key\":\"secret\",\"merge\":{},\"room\":[]}|a string is needed, not an array",
        "patch|{\"key\":\"secret\",\"merge\":{},\"create\":null}|true or false is needed, not null",
        "patch|{\"key\":\"secret\",\"merge\":{},\"create\":1}|true or false is needed, not a number",
        "del|{}|the member \"key\" is missing",
        "del|\"secret\"|an object is needed, not a string",
        "del|{\"key\":true}|a string is needed, not true or false",
      })
  void badArgumentsAreRejectedWithAReasonThatTellsNoContent(
      String name, String args, String reason) {
    assertThatThrownBy(() -> run("alice", name, args))
        .isInstanceOf(RejectedException.class)
        .hasMessage(reason);
    assertThat(view("alice")).isEqualTo("{}");
  }
}
