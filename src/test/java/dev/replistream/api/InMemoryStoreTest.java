package dev.replistream.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class InMemoryStoreTest {
  private final InMemoryStore store = new InMemoryStore();

  @Test
  void aMutatorRunsWithItsArguments() {
    store.run("alice", (transaction, args) -> transaction.put("k", args), JsonValue.of(7));

    assertThat(store.view("alice")).containsExactly(Map.entry("k", JsonValue.of(7)));
    assertThat(store.view("bob")).isEmpty();
  }

  @Test
  void aMutatorThatRejectsLeavesNothing() {
    assertThatThrownBy(() ->
            store.run(
                "alice",
                (transaction, args) -> {
                  transaction.put("k", args);
                  throw new RejectedException("no");
                },
                JsonValue.of(7)))
        .isInstanceOf(RejectedException.class)
        .hasMessage("no");

    assertThat(store.view("alice")).isEmpty();
  }

  @Test
  void argumentsThatAreNotAsNeededReject() {
    Mutator mutator = (transaction, args) -> transaction.put(args.get("id").asText(), args);

    assertThatThrownBy(() -> store.run("alice", mutator, JsonValue.parse("{\"id\":7}")))
        .isInstanceOf(RejectedException.class)
        .hasMessage("a string is needed, not a number");
  }

  @Test
  void aValueMayHaveAMebibyteUnlessToldOtherwise() {
    JsonValue largest = JsonValue.of("v".repeat(1024 * 1024 - 2));
    JsonValue larger = JsonValue.of("v".repeat(1024 * 1024 - 1));

    store.run("alice", transaction -> transaction.put("k", largest));

    assertThatThrownBy(() -> store.run("alice", transaction -> transaction.put("k", larger)))
        .isInstanceOf(RejectedException.class);
  }

  @Test
  void theViewIsInTheOrderOfTheClient() {
    store.run("alice", transaction -> transaction.put("\uD83D\uDE00", JsonValue.of(2)));
    store.run("alice", transaction -> transaction.put("\uFFFF", JsonValue.of(1)));

    assertThat(store.view("alice").sequencedKeySet()).containsExactly("\uFFFF", "\uD83D\uDE00");
  }

  @Test
  void whatIsNoUserIdIsRefused() {
    assertThatThrownBy(() -> store.run("", _ -> {})).isInstanceOf(IllegalArgumentException.class);
    for (String claims : List.of("{}", "{\"sub\":7}", "{\"sub\":\"\"}", "null")) {
      assertThatThrownBy(() -> store.run(JsonValue.parse(claims), (_, _) -> {}, JsonValue.ofNull()))
          .isInstanceOf(IllegalArgumentException.class);
    }
  }

  @Test
  void eachUserHasAClientWhoseMutationsAreCounted() {
    Mutator mutator =
        (transaction, key) ->
            transaction.put(
                key.asText(),
                JsonValue.of(transaction.clientID() + ' ' + transaction.mutationID()));
    store.run("alice", mutator, JsonValue.of("first"));
    store.run("bob", mutator, JsonValue.of("first"));
    store.view("alice");
    assertThatThrownBy(() -> store.run("alice", mutator, JsonValue.ofNull()))
        .isInstanceOf(RejectedException.class);
    store.run("alice", mutator, JsonValue.of("third"));

    assertThat(store.view("alice"))
        .containsExactly(
            Map.entry("first", JsonValue.of("client of alice 1")),
            Map.entry("third", JsonValue.of("client of alice 3")));
    assertThat(store.view("bob"))
        .containsExactly(Map.entry("first", JsonValue.of("client of bob 1")));
  }

  @Test
  void aMutatorRunsWithTheClaimsOfAToken() {
    JsonValue claims = JsonValue.parse("{\"roles\":[\"admin\"],\"sub\":\"alice\"}");

    store.run(
        claims,
        (transaction, args) -> {
          assertThat(transaction.userId()).isEqualTo("alice");
          transaction.put("claims", transaction.claims());
        },
        JsonValue.ofNull());

    assertThat(store.view("alice")).containsExactly(Map.entry("claims", claims));
  }

  @Test
  void aLimitBelowZeroIsRefused() {
    assertThatThrownBy(() -> Scan.all().limit(-1)).isInstanceOf(IllegalArgumentException.class);
  }
}
