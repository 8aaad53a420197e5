package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;
import java.util.stream.IntStream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// How many streams there may be, and how who comes too late is told.
class StreamLimitsTest {
  private static final int PER_USER = 3;
  private static final int PER_NODE = 10;

  private final TestService service =
      TestService.start(
          "STREAM_MAX_CONNECTIONS_PER_USER", Integer.toString(PER_USER),
          "STREAM_MAX_CONNECTIONS", Integer.toString(PER_NODE));
  private final ServiceClient client = service.client();
  private final List<StreamClient> open = new ArrayList<>();

  @AfterEach
  void close() {
    open.forEach(StreamClient::close);
    service.close();
  }

  private void openAllOf(String userId) {
    for (int i = 0; i < PER_USER; i++) {
      open.add(client.connected(userId));
    }
  }

  private void openAllOfTheNode() {
    for (int i = 0; i < PER_NODE; i++) {
      open.add(client.connected("user-" + i / PER_USER));
    }
  }

  private HttpRequest byTicket(String userId) {
    return HttpRequest.api("GET", "/stream?ticket=" + client.ticket(userId));
  }

  /// Checks that the answer is a stream which says nothing but when to come back.
  private static void expectComeBackLater(HttpReply reply) {
    assertThat(reply.status()).isEqualTo(200);
    assertThat(reply.header("Content-Type")).isEqualTo("text/event-stream");
    assertThat(reply.header("Cache-Control")).isEqualTo("no-cache, no-transform");
    assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo("*");
    assertThat(reply.body()).matches("retry: \\d+\n\n");
    assertThat(retryMillis(reply)).isBetween(2_000, 8_000);
  }

  private static int retryMillis(HttpReply reply) {
    return Integer.parseInt(reply.body().substring("retry: ".length()).strip());
  }

  @Test
  void aUserWithAllItsStreamsIsToldToCloseOneFirst() {
    openAllOf("alice");

    HttpReply reply = client.send(client.stream("alice"));

    assertThat(Problems.detail(reply, 429)).contains("3 streams");
    assertThat(reply.header("Retry-After")).isEqualTo("2");
    assertThat(client.connections("alice")).isEqualTo(PER_USER);
    open.add(client.connected("bob"));
  }

  @Test
  void aBrowserWithATicketIsToldToComeBackInTheOnlyWayThatItUnderstands() {
    openAllOf("alice");

    HttpReply reply = client.send(byTicket("alice"));

    expectComeBackLater(reply);
    assertThat(client.connections("alice")).isEqualTo(PER_USER);
  }

  @Test
  void aBrowserWithACookieIsToldSoToo() {
    openAllOf("alice");

    HttpReply reply =
        client.send(
            HttpRequest.api("GET", "/stream")
                .with("Cookie", "replistream_token=" + client.token("alice"))
                .with("Sec-Fetch-Site", "same-origin"));

    expectComeBackLater(reply);
    assertThat(client.connections("alice")).isEqualTo(PER_USER);
  }

  @Test
  void aTicketThatLedNowhereIsGoodWhenTheBrowserComesBack() {
    openAllOf("alice");
    HttpRequest request = byTicket("alice");
    expectComeBackLater(client.send(request));
    open.removeFirst().close();
    Eventually.holds("there is room", () -> client.connections("alice") < PER_USER);

    StreamClient stream = client.open(request);
    open.add(stream);

    stream.expect("connected");
    assertThat(client.send(request).status()).isEqualTo(401);
  }

  @Test
  void thoseWhoAreToldToComeBackDoNotAllComeAtOnce() {
    openAllOf("alice");

    TreeSet<Integer> times = new TreeSet<>();
    for (int i = 0; i < 40; i++) {
      times.add(retryMillis(client.send(byTicket("alice"))));
    }

    assertThat(times.last() - times.first()).isGreaterThan(2_000);
    assertThat(times).hasSizeGreaterThan(30);
  }

  @Test
  void aNodeWithAllItsStreamsIsUnavailable() {
    openAllOfTheNode();

    HttpReply byHeader = client.send(client.stream("new"));
    HttpReply byTicket = client.send(byTicket("new"));

    Problems.detail(byHeader, 503);
    assertThat(byHeader.header("Retry-After")).isEqualTo("2");
    expectComeBackLater(byTicket);
    assertThat(client.connections("new")).isZero();
  }

  @Test
  void aNodeWithAllItsStreamsStillPokes() {
    openAllOfTheNode();

    assertThat(client.poke("user-0")).isEqualTo(PER_USER);
    open.getFirst().expect("sync");
  }

  @Test
  void refusalsAreCounted() {
    double userLimit = refused("user-limit");
    double nodeLimit = refused("node-limit");

    openAllOfTheNode();
    client.send(client.stream("user-0"));
    open.removeLast().close();
    Eventually.holds(
        "there is room", () -> client.stats("x").getInt("totalConnections") < PER_NODE);
    client.send(client.stream("user-0"));

    assertThat(refused("node-limit")).isEqualTo(nodeLimit + 1);
    assertThat(refused("user-limit")).isEqualTo(userLimit + 1);
  }

  private double refused(String limit) {
    return client
        .metrics()
        .getOrDefault("replistream_connections_refused_total{limit=\"" + limit + "\"}", -1.0);
  }

  @Test
  void ofOneUsersRaceOnlyAsManyGetInAsMay() throws ExecutionException, InterruptedException {
    assertThat(race(_ -> "alice")).isEqualTo(PER_USER);
    assertThat(client.connections("alice")).isEqualTo(PER_USER);
  }

  @Test
  void ofManyUsersRaceOnlyAsManyGetInAsMay() throws ExecutionException, InterruptedException {
    assertThat(race(i -> "user-" + i)).isEqualTo(PER_NODE);
    assertThat(client.stats("x").getInt("totalConnections")).isEqualTo(PER_NODE);
  }

  private int race(IntFunction<String> user) throws ExecutionException, InterruptedException {
    List<Callable<StreamClient>> fifty =
        IntStream.range(0, 50)
            .mapToObj(i -> client.stream(user.apply(i)))
            .<Callable<StreamClient>>map(request -> () -> client.open(request))
            .toList();
    int admitted = 0;
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      for (Future<StreamClient> each : threads.invokeAll(fifty)) {
        StreamClient stream = each.get();
        open.add(stream);
        if (stream.head().startsWith("HTTP/1.1 200 ")) {
          stream.expect("connected");
          admitted++;
        }
      }
    }
    return admitted;
  }

  @Test
  void whoLeavesMakesRoom() {
    openAllOfTheNode();
    for (int i = 0; i < 5; i++) {
      open.removeFirst().reset();
      Eventually.holds(
          "there is room", () -> client.stats("x").getInt("totalConnections") < PER_NODE);
      open.add(client.connected("next-" + i));
    }
  }
}
