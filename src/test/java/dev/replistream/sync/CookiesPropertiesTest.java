package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValue.Obj;
import dev.replistream.api.JsonValues;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class CookiesPropertiesTest {
  private final Cookies cookies = new Cookies(new byte[32]);

  @Provide
  Arbitrary<Cookie> cookies() {
    Arbitrary<Long> versions = Arbitraries.longs().between(0, CookieOrder.Count.MAX);
    Arbitrary<CookieOrder> orders =
        Arbitraries.oneOf(
            versions.map(CookieOrder.Count::new), JsonValues.texts().map(CookieOrder.Text::new));
    return Combinators.combine(
            orders,
            JsonValues.texts(),
            JsonValues.texts(),
            versions,
            Arbitraries.maps(JsonValues.texts(), versions).ofMaxSize(5))
        .as(Cookie::new);
  }

  @Provide
  Arbitrary<JsonValue> values() {
    return JsonValues.values();
  }

  @Provide
  Arbitrary<String> texts() {
    return JsonValues.texts();
  }

  @Property(tries = 500)
  void aSignedCookieIsKnownAfterItsWayThroughTheClient(
      @ForAll("texts") String userId, @ForAll("cookies") Cookie cookie) {
    JsonValue sent = JsonValue.parse(cookies.sign(userId, cookie).toBytes());

    assertThat(cookies.read(userId, sent)).isEqualTo(cookie);
  }

  @Property(tries = 500)
  void noOtherCookieHasItsMac(
      @ForAll("texts") String oneUser,
      @ForAll("texts") String otherUser,
      @ForAll("cookies") Cookie one,
      @ForAll("cookies") Cookie other) {
    boolean same = oneUser.equals(otherUser) && one.equals(other);

    assertThat(
            cookies.sign(oneUser, one).get("mac").equals(cookies.sign(otherUser, other).get("mac")))
        .isEqualTo(same);
  }

  @Property(tries = 500)
  void aCookieWithAnyMemberReplacedIsUnknown(
      @ForAll("cookies") Cookie cookie, @ForAll("values") JsonValue value) {
    Obj signed = (Obj) cookies.sign("alice", cookie);
    for (String member : List.copyOf(signed.members().keySet())) {
      Obj tampered = signed.with(member, value);
      if (!tampered.equals(signed)) {
        assertThat(cookies.read("alice", tampered)).isInstanceOf(UnknownCookie.class);
      }
    }
  }

  @Property(tries = 1000)
  void whateverComesIsReadAndFollowedByAnOrderThatTheClientTakes(
      @ForAll("values") JsonValue value) {
    HeldCookie held = cookies.read("alice", value);

    assertThat(held).isInstanceOf(UnknownCookie.class);
    if (value instanceof JsonValue.Str || value.isNull()) {
      assertThat(JavaScript.compareCookies(held.order().next().toJson(), value)).isPositive();
    }
  }
}
