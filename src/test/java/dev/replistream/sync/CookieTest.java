package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.sync.CookieOrder.Count;
import java.util.Map;
import org.junit.jupiter.api.Test;

/// The orders that the tabs of one client group get.
class CookieTest {
  private static Cookie cookie(String epoch, String group, long acked, long version) {
    return new Cookie(Count.NONE, epoch, group, acked, Map.of("u/alice", version));
  }

  private static long order(Cookie cookie) {
    return ((Count) cookie.order()).value();
  }

  @Test
  void tabsThatPulledSeldomAndOftenGetTheSameOrderForTheSame() {
    Cookie first = cookie("e1", "g", 1, 10).after(new UnknownCookie(new Count(70)));
    Cookie often = cookie("e1", "g", 3, 20).after(cookie("e1", "g", 2, 15).after(first));
    Cookie seldom = cookie("e1", "g", 3, 20).after(first);

    assertThat(often).isEqualTo(seldom);
    assertThat(order(often)).isEqualTo(order(first) + 12);
  }

  @Test
  void tabsThatCameToAnotherEpochWithDifferentCookiesGetTheSameOrderForTheSame() {
    Cookie older = cookie("e1", "g", 1, 10).after(new UnknownCookie(new Count(70)));
    Cookie newer = cookie("e1", "g", 9, 500).after(older);

    Cookie fromOlder = cookie("e2", "g", 2, 12).after(older);
    Cookie fromNewer = cookie("e2", "g", 2, 12).after(newer);

    assertThat(fromOlder).isEqualTo(fromNewer);
    assertThat(order(fromOlder)).isGreaterThan(order(newer));
    assertThat(order(cookie("e2", "g", 2, 13).after(older))).isEqualTo(order(fromOlder) + 1);
    assertThat(cookie("e2", "g", 2, 13).after(fromNewer))
        .isEqualTo(cookie("e2", "g", 2, 13).after(older));
  }

  @Test
  void anOrderComesAfterWhatWasHeldAlsoWhereNumbersEnd() {
    Cookie held = cookie("e1", "g", 1, 10).after(new UnknownCookie(new Count(Count.MAX - 20)));

    Cookie next = cookie("e2", "g", 1, 11).after(held);

    assertThat(order(next)).isGreaterThan(order(held));
  }
}
