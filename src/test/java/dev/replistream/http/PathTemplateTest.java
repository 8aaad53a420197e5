package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import io.helidon.common.uri.UriPath;
import io.helidon.http.PathMatchers.MatchResult;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class PathTemplateTest {
  private static final PathTemplate MEMBER = new PathTemplate("/rooms/{room}/members/{userId}");

  private static final PathTemplate STATS = new PathTemplate("/stats");

  private static MatchResult match(String path) {
    return MEMBER.match(UriPath.create(path));
  }

  @ParameterizedTest
  @CsvSource({
    "/rooms/plan/members/bob, plan, bob",
    "/rooms/a%2Fb/members/c%2fd, a/b, c/d",
    "/rooms/../members/., .., .",
    "/rooms/%2E%2E/members/%2e, .., .",
    "/rooms/%252F/members/%25, %2F, %",
    "/rooms/a+b/members/a%20b, a+b, a b",
    "/rooms/a;b=c/members/a:b, a;b=c, a:b",
    "/rooms/%C3%A9/members/%F0%9F%98%80, é, \uD83D\uDE00",
    "/rooms/members/members/members, members, members",
    "http://host:80/rooms/plan/members/bob, plan, bob",
  })
  void aParameterIsTheTextThatItsSegmentSpells(String path, String room, String userId) {
    MatchResult result = match(path);

    assertThat(result.accepted()).isTrue();
    assertThat(result.path().pathParameters().get("room")).isEqualTo(room);
    assertThat(result.path().pathParameters().get("userId")).isEqualTo(userId);
    assertThat(result.path().rawPath()).isEqualTo(path);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/",
        "/rooms/plan/members",
        "/rooms/plan/members/",
        "/rooms//members/bob",
        "/rooms/plan/members/bob/",
        "/rooms/plan/members/a/b",
        "//rooms/plan/members/bob",
        "/Rooms/plan/members/bob",
        "/%72ooms/plan/members/bob",
        "/rooms/plan/%6Dembers/bob",
        "/rooms;a/plan/members/bob",
        "/./rooms/plan/members/bob",
        "/rooms%2Fplan/members/bob",
        "/x/../rooms/plan/members/bob",
        "/rooms/%FF/members/bob",
        "/rooms/%C0%AF/members/bob",
        "/rooms/%ED%A0%80/members/bob",
        "/rooms/é/members/bob",
        "http://host",
        "mailto:bob",
      })
  void whatIsNoSuchPathDoesNotFit(String path) {
    assertThat(match(path).accepted()).isFalse();
  }

  @ParameterizedTest
  @ValueSource(strings = {"/stats", "http://host/stats", "HTTPS://host:1/stats"})
  void aPathWithoutParametersHasOneSpelling(String path) {
    MatchResult result = STATS.match(UriPath.create(path));

    assertThat(result.accepted()).isTrue();
    assertThat(result.path().pathParameters().isEmpty()).isTrue();
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "/%73tats",
        "/stats/",
        "//stats",
        "/./stats",
        "/x/../stats",
        "/stats;a",
        "/Stats",
        "/stats%20",
        "/stats%00",
        "/stat",
        "stats",
        "http://host//stats",
        "http://host",
        "/http://host/stats",
      })
  void noOtherSpellingFits(String path) {
    assertThat(STATS.match(UriPath.create(path)).accepted()).isFalse();
  }
}
