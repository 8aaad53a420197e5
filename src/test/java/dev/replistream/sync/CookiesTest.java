package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class CookiesTest {
  private static final Cookie COOKIE =
      new Cookie(
          new CookieOrder.Count(7), "epoch", "group", 3, Map.of("u/alice", 5L, "r/plan", 9L));

  private final Cookies cookies = new Cookies(new byte[32]);

  private Obj signed() {
    return (Obj) cookies.sign("alice", COOKIE);
  }

  private static UnknownCookie unknown(long order) {
    return new UnknownCookie(new CookieOrder.Count(order));
  }

  @Test
  void aCookieHasTheFormOfTheContract() {
    assertThat(signed().toJson())
        .matches(
            "\\{\"order\":7,\"epoch\":\"epoch\",\"group\":\"group\",\"acked\":3,"
                + "\"spaces\":\\{\"r/plan\":9,\"u/alice\":5},\"mac\":\"[A-Za-z0-9_-]{43}\"}");
  }

  @Test
  void aCookieOfTheUsersIsKnownWhateverTheOrderOfItsMembers() {
    Obj shuffled = JsonValue.object().build();
    for (String name : signed().members().keySet().stream().sorted().toList()) {
      shuffled = shuffled.with(name, signed().get(name));
    }

    assertThat(cookies.read("alice", signed())).isEqualTo(COOKIE);
    assertThat(cookies.read("alice", shuffled)).isEqualTo(COOKIE);
  }

  @Test
  void aCookieWhoseOrderIsAStringIsKnownToo() {
    Cookie counted = new Cookie(new CookieOrder.Text("x/0000000000000001"), "e", "g", 0, Map.of());

    assertThat(cookies.read("alice", cookies.sign("alice", counted))).isEqualTo(counted);
  }

  @Test
  void theLastCookieThatCanBeCountedToIsKnown() {
    Cookie last = new Cookie(new CookieOrder.Count(CookieOrder.Count.MAX), "e", "g", 0, Map.of());

    assertThat(cookies.read("alice", cookies.sign("alice", last))).isEqualTo(last);
  }

  @Test
  void anotherUsersCookieIsUnknown() {
    assertThat(cookies.read("bob", signed())).isEqualTo(unknown(7));
  }

  @Test
  void aCookieOfAnotherKeyIsUnknown() {
    byte[] key = new byte[32];
    key[31] = 1;

    assertThat(new Cookies(key).read("alice", signed())).isEqualTo(unknown(7));
  }

  @ParameterizedTest
  @CsvSource({
    "order, 8, 8",
    "order, 7.5, 7",
    "order, 7.0, 7",
    "order, '\"7\"', -1",
    "order, null, 0",
    "epoch, '\"epoch2\"', 7",
    "epoch, 1, 7",
    "group, '\"\"', 7",
    "acked, 4, 7",
    "acked, 3.5, 7",
    "acked, -1, 7",
    "spaces, '{\"u/alice\":5}', 7",
    "spaces, '{\"u/alice\":9,\"r/plan\":5}', 7",
    "spaces, '{\"u/alice\":5,\"r/plan\":9,\"r/x\":0}', 7",
    "spaces, '{\"u/alice\":{\"u/alice\":5},\"r/plan\":9}', 7",
    "spaces, '[5,9]', 7",
    "spaces, null, 7",
    "mac, '\"\"', 7",
    "mac, '\"\\ud800\"', 7",
    "mac, null, 7",
    "mac, 1, 7",
  })
  void aCookieThatWasTamperedWithIsUnknown(String member, String value, long order) {
    Obj tampered = signed().with(member, JsonValue.parse(value));

    assertThat(cookies.read("alice", tampered))
        .isEqualTo(order < 0 ? new UnknownCookie(new CookieOrder.Text("7")) : unknown(order));
  }

  @ParameterizedTest
  @ValueSource(strings = {"order", "epoch", "group", "acked", "spaces", "mac"})
  void aCookieThatLacksAMemberIsUnknown(String member) {
    Obj lacking = JsonValue.object().build();
    for (Map.Entry<String, JsonValue> each : signed().members().entrySet()) {
      if (!each.getKey().equals(member)) {
        lacking = lacking.with(each.getKey(), each.getValue());
      }
    }

    assertThat(cookies.read("alice", lacking)).isEqualTo(unknown(member.equals("order") ? 0 : 7));
  }

  @Test
  void whatStandsInOneFieldCantBeMovedIntoAnother() {
    JsonValue mac =
        cookies
            .sign("alice", new Cookie(CookieOrder.Count.NONE, "ab", "c", 0, Map.of()))
            .get("mac");
    Obj moved =
        ((Obj) cookies.sign("alice", new Cookie(CookieOrder.Count.NONE, "a", "bc", 0, Map.of())))
            .with("mac", mac);

    assertThat(cookies.read("alice", moved)).isEqualTo(unknown(0));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "null",
        "true",
        "[]",
        "{}",
        "0",
        "5",
        "1e400",
        "-1e400",
        "-0",
        "9007199254740992",
        "\"x\"",
        "{\"order\":1e400}",
        "{\"order\":-5}",
        "{\"order\":{}}",
        "{\"order\":5}",
        "{\"order\":5,\"cvrID\":\"x\"}",
      })
  void whateverElseAClientSendsIsUnknownAndNeverAnError(String cookie) {
    JsonValue value = JsonValue.parse(cookie);

    assertThat(cookies.read("alice", value)).isEqualTo(new UnknownCookie(CookieOrder.of(value)));
  }

  @Test
  void aHugeCookieIsUnknown() {
    String spaces = "\"r/x\":1,".repeat(20_000);
    JsonValue huge =
        signed()
            .with("spaces", JsonValue.parse("{" + spaces + "\"r/y\":1}"))
            .with("mac", JsonValue.of("m".repeat(200_000)));

    assertThat(cookies.read("alice", huge)).isEqualTo(unknown(7));
  }

  @Test
  void aKeyThatCouldBeGuessedIsRefused() {
    assertThatThrownBy(() -> new Cookies(new byte[31]))
        .isInstanceOf(IllegalArgumentException.class);
  }
}
