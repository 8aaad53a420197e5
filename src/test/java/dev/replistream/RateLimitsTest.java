package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.room.RoomClient;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// How often a user may do what costs others: ten seconds' worth at once, and then so many a
/// second.
class RateLimitsTest {
  private static TestService service;
  private static ServiceClient client;

  @BeforeAll
  static void start() {
    service =
        TestService.start(
            "LIMITS_POKES_PER_SECOND", "1",
            "LIMITS_PUSHES_PER_SECOND", "1",
            "LIMITS_TICKETS_PER_SECOND", "1",
            "LIMITS_ROOMS_PER_SECOND", "1");
    client = service.client();
  }

  @AfterAll
  static void close() {
    service.close();
  }

  private static List<HttpReply> sent(int count, IntFunction<HttpRequest> request) {
    List<HttpReply> replies = new ArrayList<>();
    try (HttpConnection connection = new HttpConnection(service.application().port())) {
      for (int i = 0; i < count; i++) {
        replies.add(connection.send(request.apply(i).toBytes()).reply());
      }
    }
    return replies;
  }

  /// The first ten are served, and of those behind them most are refused in the right form.
  private static void assertLimited(String limit, List<HttpReply> replies) {
    assertThat(replies.subList(0, 10)).allMatch(reply -> reply.status() < 300);
    List<HttpReply> refused = replies.stream().filter(reply -> reply.status() == 429).toList();
    assertThat(refused).hasSizeGreaterThan((replies.size() - 10) / 2);
    for (HttpReply reply : refused) {
      assertThat(Problems.detail(reply, 429))
          .contains("replistream.limits." + limit + "-per-second");
      assertThat(retryAfter(reply)).isBetween(1, 11);
    }
    assertThat(client.metrics().get("replistream_rate_limited_total{limit=\"" + limit + "\"}"))
        .isGreaterThanOrEqualTo(refused.size());
  }

  private static int retryAfter(HttpReply reply) {
    return Integer.parseInt(Objects.requireNonNull(reply.header("Retry-After")));
  }

  @Test
  void pokesOfOneselfAreLimitedAlsoWhereTheHeadIsKnown() {
    HttpRequest poke = HttpRequest.api("POST", "/poke-user").by(client.token("poker"));

    assertLimited("pokes", sent(60, _ -> poke));
    assertThat(client.poke("another")).isZero();
  }

  @Test
  void aBackendPokesAsOftenAsItLikes() {
    HttpRequest poke =
        HttpRequest.api("POST", "/poke-user")
            .by(client.token("backend", "replicache:poke"))
            .with("{\"userIds\":[\"a\",\"b\",\"c\"]}");

    assertThat(sent(60, _ -> poke)).allMatch(reply -> reply.status() == 200);
  }

  @Test
  void aPokeOfARoomCountsForEachMember() {
    String token = client.token("owner");
    assertThat(
            client
                .send(HttpRequest.api("POST", "/rooms").by(token).with("{\"id\":\"crowd\"}"))
                .status())
        .isEqualTo(201);
    for (int i = 0; i < 8; i++) {
      HttpRequest put =
          HttpRequest.api("PUT", "/rooms/crowd/members/member" + i)
              .by(client.token("backend", "replicache:write"))
              .with("{\"role\":\"reader\"}");
      assertThat(client.send(put).status()).isEqualTo(201);
    }
    HttpRequest poke = HttpRequest.api("POST", "/rooms/crowd/poke").by(token);
    List<HttpReply> replies = sent(3, _ -> poke);

    assertThat(replies.get(0).status()).isEqualTo(200);
    assertThat(replies.get(1).status()).isEqualTo(200); // the tenth; it is owed for eight more
    assertThat(Problems.detail(replies.get(2), 429)).contains("pokes-per-second");
    assertThat(retryAfter(replies.get(2))).isBetween(7, 10);
  }

  @Test
  void invitationsAreLimitedAndRolesAreNot() {
    try (TestService other = TestService.start("LIMITS_INVITATIONS_PER_SECOND", "1")) {
      ServiceClient host = other.client();
      RoomClient rooms = new RoomClient(host);
      rooms.create("party", "host", "guest");
      List<Integer> invited =
          IntStream.range(0, 30).mapToObj(i -> put(host, "stranger" + i).status()).toList();

      assertThat(invited.subList(0, 10)).containsOnly(202);
      assertThat(invited.subList(10, 30)).contains(429);
      HttpReply refused = put(host, "another");
      assertThat(Problems.detail(refused, 429))
          .contains("replistream.limits.invitations-per-second");
      assertThat(retryAfter(refused)).isBetween(1, 11);
      for (int i = 0; i < 30; i++) {
        assertThat(put(host, "guest").status()).isEqualTo(200);
      }
    }
  }

  private static HttpReply put(ServiceClient host, String userId) {
    return host.send(
        HttpRequest.api("PUT", "/rooms/party/members/" + userId)
            .by(host.token("host"))
            .with("{\"role\":\"reader\"}"));
  }

  @Test
  void pushesAreLimited() {
    String token = client.token("pusher");
    assertLimited(
        "pushes",
        sent(
            30,
            i ->
                HttpRequest.api("POST", "/push")
                    .by(token)
                    .with(
                        "{\"pushVersion\":1,\"clientGroupID\":\"g\",\"mutations\":[],\"profileID\":\"p\",\"schemaVersion\":\"\"}")));
  }

  @Test
  void ticketsAreLimited() {
    String token = client.token("opener");
    assertLimited("tickets", sent(30, _ -> HttpRequest.api("POST", "/ticket").by(token)));
    assertThat(client.ticket("another")).isNotBlank();
  }

  @Test
  void roomsAreLimited() {
    String token = client.token("builder");
    assertLimited(
        "rooms",
        sent(
            30,
            i -> HttpRequest.api("POST", "/rooms").by(token).with("{\"id\":\"room" + i + "\"}")));
    assertThat(client.send(HttpRequest.api("DELETE", "/rooms/room1").by(token)).status())
        .isEqualTo(429);
    assertThat(
            client
                .send(
                    HttpRequest.api("PUT", "/rooms/room1/members/x")
                        .by(token)
                        .with("{\"role\":\"reader\"}"))
                .status())
        .isEqualTo(429);
    assertThat(client.send(HttpRequest.api("DELETE", "/rooms/room1/members/x").by(token)).status())
        .isEqualTo(429);
    assertThat(client.send(HttpRequest.api("GET", "/rooms").by(token)).status()).isEqualTo(200);
  }

  @Test
  void theLogHasAFewLinesOfAFlood() {
    try (LogCapture log = new LogCapture();
        TestService own = TestService.start("LIMITS_POKES_PER_SECOND", "1"); // nothing left out yet
        HttpConnection connection = own.client().connect()) {
      byte[] poke = own.client().pokeOf("flooder").toBytes();
      for (int i = 0; i < 300; i++) {
        connection.send(poke).reply();
      }

      assertThat(log.lines("rate-limited"))
          .hasSizeBetween(1, 6)
          .allMatch(line ->
              line.matches("event=rate-limited limit=pokes user=\"flooder\"( left-out=\\d+)?"));
    }
  }

  @Test
  void zeroIsNoLimit() {
    try (TestService free = TestService.start("LIMITS_TICKETS_PER_SECOND", "0")) {
      HttpRequest ticket = HttpRequest.api("POST", "/ticket").by(free.client().token("alice"));
      try (HttpConnection connection = new HttpConnection(free.application().port())) {
        for (int i = 0; i < 1_500; i++) {
          assertThat(connection.send(ticket.toBytes()).reply().status()).isEqualTo(200);
        }
      }
    }
  }
}
