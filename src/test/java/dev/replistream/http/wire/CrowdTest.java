package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Who is let in, and who goes, when one address brings many connections.
class CrowdTest {
  private static final int LIMIT = 8;
  private static final String ATTACKER = "127.0.0.2";
  private static final String PROXY = "127.0.0.3";
  private static final String OFFICE = "127.0.0.4";
  private static final String SHED =
      "replistream_tcp_shed_total{limit=\"address\",listener=\"api\"}";

  private static final String OPEN = "replistream_tcp_open{listener=\"api\"}";

  private static final TestService SERVICE =
      TestService.start(
          "LIMITS_STRANGERS_PER_ADDRESS", Integer.toString(LIMIT), "HTTP_TRUSTED_PROXIES", PROXY);

  private final ServiceClient client = SERVICE.client();
  private final List<HttpConnection> connections = new ArrayList<>();

  @AfterAll
  static void stop() {
    SERVICE.close();
  }

  @AfterEach
  void close() {
    connections.forEach(HttpConnection::close);
  }

  private HttpConnection connect(String address) {
    HttpConnection connection = HttpConnection.from(address, SERVICE.application().port());
    connections.add(connection);
    return connection;
  }

  private List<HttpConnection> connect(String address, int count) {
    return Stream.generate(() -> connect(address)).limit(count).toList();
  }

  /// Opens connections that say nothing until the server has closed some.
  private List<HttpConnection> crowd(String address) {
    List<HttpConnection> silent = new ArrayList<>(connect(address, LIMIT));
    Eventually.holds(
        "the silent ones go",
        () -> {
          silent.add(connect(address));
          return isClosed(silent.getFirst());
        });
    return silent;
  }

  private static boolean isClosed(HttpConnection connection) {
    return connection.read(new byte[1], Duration.ofMillis(20)) < 0;
  }

  private HttpRequest stats(String user) {
    return HttpRequest.api("GET", "/stats").by(client.token(user));
  }

  @Test
  void ofOneAddressTheSilentGoAsOthersCome() {
    double shed = client.metrics().getOrDefault(SHED, Double.NaN);

    List<HttpConnection> silent = crowd(ATTACKER);

    Eventually.holds(
        "few are left",
        () -> {
          silent.add(connect(ATTACKER));
          return silent.stream().filter(c -> !isClosed(c)).count() <= LIMIT;
        });
    assertThat(client.metrics().getOrDefault(SHED, Double.NaN)).isGreaterThan(shed);
  }

  @Test
  void whoeverSpeaksIsAnsweredAmongTheSilentOfItsAddress() {
    crowd(ATTACKER);

    for (int i = 0; i < 3 * LIMIT; i++) {
      HttpConnection late = connect(ATTACKER);
      assertThat(late.send(HttpRequest.of("GET", "/replistream.js").toBytes()).reply().status())
          .isEqualTo(200);
    }
  }

  @Test
  void aConnectionOnceAuthenticatedStaysAndHasNoLimit() {
    List<HttpConnection> colleagues = new ArrayList<>();
    for (int i = 0; i < 2 * LIMIT; i++) {
      colleagues.add(connect(OFFICE).send(stats("alice").toBytes()));
      assertThat(colleagues.getLast().reply().status()).isEqualTo(200);
    }

    crowd(OFFICE);

    for (HttpConnection colleague : colleagues) {
      assertThat(colleague.send(stats("alice").toBytes()).reply().status()).isEqualTo(200);
    }
  }

  @Test
  void aConnectionWhoseRequestIsKnownCountsAsAuthenticatedToo() {
    byte[] poke = HttpRequest.api("POST", "/poke-user").by(client.token("bob")).toBytes();
    HttpConnection first = connect(OFFICE);
    first.send(poke).reply();
    first.send(poke).reply();
    HttpConnection second = connect(OFFICE);
    assertThat(second.send(poke).reply().status()).isEqualTo(200);

    crowd(OFFICE);

    assertThat(second.send(poke).reply().status()).isEqualTo(200);
  }

  @Test
  void streamsLiveOnAmongTheSilentOfTheirAddress() {
    List<StreamClient> streams =
        Stream.generate(() -> new StreamClient(connect(ATTACKER), client.stream("carol")))
            .limit(2 * LIMIT)
            .peek(stream -> stream.expect("connected"))
            .toList();

    crowd(ATTACKER);

    assertThat(client.poke("carol")).isEqualTo(streams.size());
    streams.forEach(stream -> stream.expect("sync"));
  }

  @Test
  void aRefusedTokenLeavesAStranger() {
    HttpConnection refused = connect(ATTACKER);
    assertThat(
            refused.send(HttpRequest.api("GET", "/stats").by("x.y.z").toBytes()).reply().status())
        .isEqualTo(401);

    crowd(ATTACKER);

    Eventually.holds(
        "it goes",
        () -> {
          connect(ATTACKER);
          return isClosed(refused);
        });
  }

  @Test
  void aTrustedProxyHasNoLimit() {
    List<HttpConnection> pool = connect(PROXY, 5 * LIMIT);
    Eventually.holds(
        "all are taken in", () -> client.metrics().getOrDefault(OPEN, Double.NaN) >= pool.size());

    for (HttpConnection connection : pool) {
      connection.send(HttpRequest.of("GET", "/replistream.js").toBytes());
    }
    assertThat(pool).allMatch(connection -> connection.reply().status() == 200);
  }

  /// As when a proxy that is not listed hands on many page loads at once.
  @Test
  void aBurstOfRequestsIsAnswered() {
    byte[] request = stats("dave").toBytes();
    List<HttpConnection> burst =
        Stream.generate(() -> connect(OFFICE).send(request)).limit(3 * LIMIT).toList();

    assertThat(burst).allMatch(connection -> connection.reply().status() == 200);
  }

  @Test
  void otherAddressesDoNotNoticeACrowd() {
    crowd(ATTACKER);
    List<HttpConnection> others = connect("127.0.0.9", LIMIT - 1);
    connect(ATTACKER, 4 * LIMIT);

    for (HttpConnection other : others) {
      assertThat(other.send(stats("erin").toBytes()).reply().status()).isEqualTo(200);
    }
  }

  /// To look takes a call of the system for each of them.
  @Test
  void whileAllOfAnAddressAreServedNewcomersDoNotLookAgainForAWhile() {
    long begin = System.nanoTime();
    long a10thMilli = 100_000;
    Crowd.Strangers all = new Crowd.Strangers(begin);
    all.wires.add(WireOver.nothing());
    AtomicInteger looks = new AtomicInteger();
    Crowd.Look noneIsSilent =
        (wires, _) -> {
          assertThat(wires).hasSize(1);
          looks.incrementAndGet();
          return List.of();
        };

    for (int i = 0; i < 1_000; i++) { // within 100 ms
      assertThat(all.silent(begin + i * a10thMilli, 16, noneIsSilent)).isEmpty();
    }
    assertThat(looks).hasValue(1);

    all.silent(begin + 1_000 * a10thMilli, 16, noneIsSilent);
    assertThat(looks).hasValue(2);
  }

  @Test
  void whereOneWasSilentTheNextNewcomerLooksAgain() {
    long begin = System.nanoTime();
    Crowd.Strangers all = new Crowd.Strangers(begin);
    all.wires.add(WireOver.nothing());
    Crowd.Look allAreSilent = (wires, _) -> List.copyOf(wires);

    assertThat(all.silent(begin, 16, allAreSilent)).hasSize(1);
    assertThat(all.silent(begin, 16, allAreSilent)).hasSize(1);
  }
}
