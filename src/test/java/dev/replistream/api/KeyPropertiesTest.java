package dev.replistream.api;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.util.Arrays;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class KeyPropertiesTest {
  @Provide
  Arbitrary<String> texts() {
    return JsonValues.texts();
  }

  @Property(tries = 2000)
  void aKeyComesBackAsItWentIn(@ForAll("texts") String text) throws IOException {
    Key key = Key.of(text);
    ByteArrayOutputStream json = new ByteArrayOutputStream();
    key.writeJson(json);

    assertThat(key.text()).isEqualTo(text);
    assertThat(JsonValue.parse(json.toByteArray())).isEqualTo(JsonValue.of(text));
  }

  /// Replicache's client orders keys by the UTF-8 bytes of their code points, and takes half a pair
  /// for the code point of its own number; that is the order of the code points.
  @Property(tries = 5000)
  void keysAreOrderedAsTheClientOrdersThem(
      @ForAll("texts") String one, @ForAll("texts") String other) {
    int expected = Arrays.compare(one.codePoints().toArray(), other.codePoints().toArray());

    assertThat(Integer.signum(Key.of(one).compareTo(Key.of(other))))
        .isEqualTo(Integer.signum(expected));
    assertThat(Key.of(one).equals(Key.of(other))).isEqualTo(one.equals(other));
  }

  @Property(tries = 2000)
  void aRangeHoldsExactlyWhatBeginsWithItsPrefix(
      @ForAll("texts") String prefix, @ForAll("texts") String text) {
    Key from = Key.of(prefix);
    for (Key key : new Key[] {Key.of(text), Key.of(prefix + text)}) {
      boolean inRange =
          key.compareTo(from) >= 0
              && from.afterPrefix().map(after -> key.compareTo(after) < 0).orElse(true);

      assertThat(key.startsWith(from)).isEqualTo(inRange);
    }
  }
}
