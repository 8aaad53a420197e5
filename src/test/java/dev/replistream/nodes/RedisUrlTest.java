package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.nodes.RedisUrl.Host;
import dev.replistream.nodes.RedisUrl.Kind;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class RedisUrlTest {
  @Test
  void aHostAloneIsEnough() {
    assertThat(RedisUrl.parse("redis://cache"))
        .isEqualTo(
            new RedisUrl(
                Kind.SINGLE,
                false,
                List.of(new Host("cache", 6379)),
                Optional.empty(),
                Optional.empty(),
                Optional.empty(),
                0));
  }

  @Test
  void userPasswordDatabaseAndTlsAreRead() {
    assertThat(RedisUrl.parse("rediss://app:p%40ss+word%3A@cache.example.com:6380/3"))
        .isEqualTo(
            new RedisUrl(
                Kind.SINGLE,
                true,
                List.of(new Host("cache.example.com", 6380)),
                Optional.of("app"),
                Optional.of("p@ss+word:"),
                Optional.empty(),
                3));
  }

  @Test
  void aPasswordMayStandAlone() {
    for (String url : List.of("redis://:secret@cache", "redis://secret@cache")) {
      assertThat(RedisUrl.parse(url).user()).isEmpty();
      assertThat(RedisUrl.parse(url).password()).contains("secret");
    }
  }

  @Test
  void sentinelsNameTheirMaster() {
    RedisUrl url = RedisUrl.parse("redis+sentinel://:pw@one,two:26380/mymaster/1");

    assertThat(url.kind()).isEqualTo(Kind.SENTINEL);
    assertThat(url.hosts()).containsExactly(new Host("one", 26379), new Host("two", 26380));
    assertThat(url.master()).contains("mymaster");
    assertThat(url.database()).isEqualTo(1);
  }

  @Test
  void aClusterIsSeveralHosts() {
    RedisUrl url = RedisUrl.parse("rediss+cluster://one:7000,two:7001,[::1]:7002");

    assertThat(url.kind()).isEqualTo(Kind.CLUSTER);
    assertThat(url.isTls()).isTrue();
    assertThat(url.hosts())
        .containsExactly(new Host("one", 7000), new Host("two", 7001), new Host("[::1]", 7002));
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "cache",
        "http://cache",
        "redis:cache",
        "redis://",
        "redis://one,two",
        "redis://cache:0",
        "redis://cache:65536",
        "redis://cache:port",
        "redis://cache/db",
        "redis://cache/1/2",
        "redis://cache?db=1",
        "redis+sentinel://one:26379",
        "redis+cluster://one/1",
        "redis://secret@ca che",
        "redis://a%secret@cache"
      })
  void anythingElseIsRefusedWithoutSayingWhatItWas(String url) {
    assertThatThrownBy(() -> RedisUrl.parse(url))
        .isInstanceOf(IllegalArgumentException.class)
        .hasMessageNotContaining("secret");
  }

  @Test
  void itsTextHasNoPassword() {
    assertThat(RedisUrl.parse("redis://app:secret@cache")).asString().doesNotContain("secret");
  }
}
