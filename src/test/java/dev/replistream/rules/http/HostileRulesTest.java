package dev.replistream.rules.http;

import static dev.replistream.rules.http.HostileApplication.saying;
import static dev.replistream.rules.http.HostileApplication.write;
import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.HttpReply;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.ServiceClient;
import dev.replistream.StreamClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.sync.Replica;
import java.io.IOException;
import java.io.OutputStream;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Rules of an application that is away, slow, or answers what it should not. Each test has users
/// of its own.
class HostileRulesTest {
  private static final String OK = "{\"results\":[{\"ops\":[]}]}";

  private static HostileApplication application;
  private static TestService service;

  /// One whose patience is short.
  private static TestService hasty;

  @BeforeAll
  static void start() {
    application = new HostileApplication();
    service = start("PT30S");
    hasty = start("PT0.6S");
    application.on("status", saying("500 Internal Server Error", OK));
    application.on("created", saying("201 Created", OK));
    application.on(
        "unauthorized", saying("401 Unauthorized\r\nWWW-Authenticate: Basic realm=x", OK));
    application.on(
        "redirect", saying("307 Temporary Redirect\r\nLocation: " + application.url(), ""));
    application.on("empty", saying("200 OK", ""));
    application.on("no-json", saying("200 OK", "<html>"));
    application.on("after-its-end", saying("200 OK", OK + "{}"));
    application.on("no-results", saying("200 OK", "{\"results\":[]}"));
    application.on("too-many", saying("200 OK", "{\"results\":[{\"ops\":[]},{\"ops\":[]}]}"));
    application.on("wrong-op", saying("200 OK", "{\"results\":[{\"ops\":[{\"op\":\"fly\"}]}]}"));
    application.on(
        "of-a-user",
        saying(
            "200 OK",
            "{\"results\":[{\"ops\":[{\"op\":\"del\",\"key\":\"a\",\"user\":\"bob\"}]}]}"));
    application.on("nothing", saying("200 OK", "{\"results\":[{}]}"));
    application.on("both", saying("200 OK", "{\"results\":[{\"ops\":[],\"retry\":true}]}"));
    application.on("no-code", saying("200 OK", "{\"results\":[{\"error\":{\"message\":\"m\"}}]}"));
    application.on("deep", saying("200 OK", "[".repeat(100_000)));
    application.on(
        "huge",
        saying(
            "200 OK",
            "{\"results\":[{\"ops\":[{\"op\":\"put\",\"key\":\"a\",\"value\":\""
                + "x".repeat(6 << 20)
                + "\"}]}]}"));
    application.on("endless", HostileRulesTest::endless);
    application.on("drip", HostileRulesTest::drip);
    application.on("headers", HostileRulesTest::headers);
    application.on("interim", HostileRulesTest::interim);
    application.on("closes-at-once", _ -> {});
    application.on("no-http", out -> write(out, "220 mail.example ESMTP\r\n"));
    application.on(
        "closes-in-between",
        out -> write(out, "HTTP/1.1 200 OK\r\nContent-Length: 500\r\n\r\n{\"results\":[{\"ops\""));
    application.on(
        "cuts-its-chunks",
        out -> write(out, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\n{\"res"));
  }

  private static TestService start(String timeout) {
    return TestService.start(
        HttpRulesRules.JAVA,
        "MUTATORS_URL",
        application.url(),
        "MUTATORS_SECRET",
        TestRules.SECRET,
        "MUTATORS_TIMEOUT",
        timeout);
  }

  @AfterAll
  static void stop() {
    service.close();
    hasty.close();
    application.close();
  }

  private static void endless(OutputStream out) throws IOException {
    write(out, "HTTP/1.1 200 OK\r\n\r\n{\"results\":[");
    writeForEver(out, " ".repeat(8_000), 0);
  }

  /// Until the service closes the connection.
  private static void writeForEver(OutputStream out, String text, long pauseMillis)
      throws IOException {
    while (true) {
      write(out, text);
      LockSupport.parkNanos(TimeUnit.MILLISECONDS.toNanos(pauseMillis));
    }
  }

  private static void drip(OutputStream out) throws IOException {
    write(out, "HTTP/1.1 200 OK\r\n\r\n");
    writeForEver(out, " ", 20);
  }

  private static void headers(OutputStream out) throws IOException {
    write(out, "HTTP/1.1 200 OK\r\n");
    writeForEver(out, "A: b\r\n", 20);
  }

  private static void interim(OutputStream out) throws IOException {
    writeForEver(out, "HTTP/1.1 103 Early Hints\r\n\r\n", 20);
  }

  private static JsonValue number(long number) {
    return JsonValue.of(number);
  }

  /// How many calls of this process came out like that.
  private static double calls(ServiceClient client, String outcome) {
    return Objects.requireNonNull(
        client.metrics().get("replistream_rule_calls_total{outcome=\"%s\"}".formatted(outcome)));
  }

  @ParameterizedTest
  @CsvSource({
    "slow, timeout, 1",
    "drip, timeout, 1",
    "headers, timeout, 1",
    "interim, timeout, 1",
    "status, status, 1",
    "created, status, 1",
    "unauthorized, status, 1",
    "redirect, status, 1",
    "no-http, status, 1",
    "empty, malformed, 1",
    "no-json, malformed, 1",
    "after-its-end, malformed, 1",
    "no-results, malformed, 1",
    "too-many, malformed, 1",
    "wrong-op, malformed, 1",
    "of-a-user, malformed, 1",
    "nothing, malformed, 1",
    "both, malformed, 1",
    "no-code, malformed, 1",
    "deep, malformed, 1",
    "closes-in-between, unreachable, 1",
    "cuts-its-chunks, unreachable, 1",
    "closes-at-once, unreachable, 2",
    "endless, too-large, 1",
    "huge, too-large, 1",
  })
  void aPushThatGetsNoAnswerIsSentAgainAndLosesNothing(String name, String outcome, int asked) {
    ServiceClient client = (outcome.equals("timeout") ? hasty : service).client();
    double before = calls(client, outcome);
    Replica alice = Replica.of(client, "alice-" + name);
    List<JsonValue> mutations =
        List.of(
            alice.mutation("java", number(1)),
            alice.mutation(name, JsonValue.ofNull()),
            alice.mutation("java", number(2)));
    HttpReply reply;
    try (LogCapture log = new LogCapture()) {
      reply = alice.send(mutations);

      assertThat(log.lines("rules-failed")).hasSizeLessThanOrEqualTo(1);
      assertThat(log.lines("error")).isEmpty();
    }

    assertThat(Problems.detail(reply, 503))
        .isEqualTo("The application's rules do not answer; come again.");
    assertThat(reply.header("Retry-After")).isEqualTo("1");
    assertThat(application.asked(name)).isEqualTo(asked);
    alice.pull();
    assertThat(alice.view()).containsOnlyKeys("log").containsEntry("log", number(1));
    assertThat(calls(client, outcome)).isEqualTo(before + 1);

    application.on(name, saying("200 OK", OK)); // it is mended
    assertThat(alice.send(mutations).status()).isEqualTo(200);
    alice.pull();
    assertThat(alice.view()).containsEntry("log", number(12));
  }

  @Test
  void whatFloodsWithInterimAnswersIsNoAnswerEither() {
    application.on(
        "flood", out -> writeForEver(out, "HTTP/1.1 103 Early Hints\r\n\r\n".repeat(1000), 0));
    Replica alice = Replica.of(hasty.client(), "alice-flood");

    HttpReply reply = alice.send(alice.mutation("flood", JsonValue.ofNull()));

    assertThat(reply.status()).isEqualTo(503);
  }

  @Test
  void aConnectionThatWasKeptAndIsClosedMeanwhileCostsNoPush() {
    application.on("closes", saying("200 OK", OK)); // which looks as if it were kept
    Replica alice = Replica.of(service.client(), "alice-closes");

    for (int i = 0; i < 3; i++) {
      alice.push(alice.mutation("closes", JsonValue.ofNull()));
    }

    assertThat(application.asked("closes")).isEqualTo(3);
  }

  @Test
  void whileTheApplicationHangsAllButItsOwnMutationsGoOn() throws Exception {
    int users = CallSlots.MAX / CallSlots.MAX_OF_USER + 1;
    double busy = calls(service.client(), "busy");
    try (StreamClient stream = service.client().connected("bob-hang");
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpReply>> hanging = new ArrayList<>();
      for (int i = 0; i < users * CallSlots.MAX_OF_USER; i++) {
        Replica one = Replica.of(service.client(), "hang" + i % users);
        JsonValue before = one.mutation("java", number(1));
        JsonValue call = one.mutation("hang", JsonValue.ofNull());
        hanging.add(threads.submit(() -> one.send(before, call)));
      }
      // whoever finds no place is told so, and the places are all taken meanwhile
      Eventually.holds(
          "the others are refused",
          () ->
              hanging.stream().filter(Future::isDone).count() == CallSlots.MAX_OF_USER
                  && application.asked("hang") == CallSlots.MAX);
      for (Future<HttpReply> each : hanging) {
        if (each.isDone()) {
          assertThat(Problems.detail(each.get(), 503))
              .startsWith("The application's rules are slow, and asked as often at a time");
        }
      }
      assertThat(calls(service.client(), "busy")).isEqualTo(busy + CallSlots.MAX_OF_USER);

      Replica alice = Replica.of(service.client(), "alice-hang");
      alice.push(alice.mutation("java", number(5)));
      alice.pull();
      assertThat(alice.view()).containsEntry("log", number(5));
      service.client().poke("bob-hang");
      stream.expect("sync");
      Replica again = Replica.of(service.client(), "hang0");
      again.pull(); // what came before the mutation that waits is there
      assertThat(again.view()).containsKey("log");

      assertThat(hanging.stream().filter(each -> !each.isDone())).hasSize(CallSlots.MAX);
      end(hanging);
    }
  }

  private static void end(List<Future<HttpReply>> pushes) {
    Eventually.holds(
        "all have ended",
        () -> {
          application.endHanging();
          return pushes.stream().allMatch(Future::isDone);
        });
  }

  @Test
  void oneUserLeavesPlacesForOthers() throws Exception {
    application.on("greedy", application::hang);
    application.on("modest", saying("200 OK", OK));
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpReply>> greedy = new ArrayList<>();
      for (int i = 0; i < CallSlots.MAX_OF_USER + 4; i++) {
        Replica one = Replica.of(service.client(), "greedy");
        JsonValue call = one.mutation("greedy", JsonValue.ofNull());
        greedy.add(threads.submit(() -> one.send(call)));
      }
      Eventually.holds("asked", () -> application.asked("greedy") == CallSlots.MAX_OF_USER);
      Replica alice = Replica.of(service.client(), "alice-modest");

      alice.push(alice.mutation("modest", JsonValue.ofNull()));

      assertThat(application.asked("greedy")).isEqualTo(CallSlots.MAX_OF_USER);
      end(greedy);
    }
  }

  @Test
  void membersArePokedForWhatIsDoneBeforeTheApplicationAnswers() throws Exception {
    application.on("later", application::hang);
    Replica alice = Replica.of(service.client(), "alice-later");
    try (StreamClient stream = service.client().connected("alice-later");
        ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      JsonValue before = alice.mutation("java", number(1));
      JsonValue call = alice.mutation("later", JsonValue.ofNull());
      Future<HttpReply> push = threads.submit(() -> alice.send(before, call));

      stream.expect("sync");

      Eventually.holds("asked", () -> application.asked("later") == 1);
      assertThat(push.isDone()).isFalse();
      application.endHanging();
      assertThat(push.get(20, TimeUnit.SECONDS).status()).isEqualTo(200);
    }
  }

  @Test
  void aServiceStopsWhileTheApplicationHangs() throws Exception {
    application.on("stop", application::hang);
    TestService stopping = start("PT1M");
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
        LogCapture log = new LogCapture()) {
      Replica alice = Replica.of(stopping.client(), "alice");
      JsonValue call = alice.mutation("stop", JsonValue.ofNull());
      threads.execute(() -> alice.send(call));
      Eventually.holds("asked", () -> application.asked("stop") == 1);

      threads.submit(stopping::close).get(20, TimeUnit.SECONDS);

      assertThat(log.lines("cursor-lost")).isEmpty();
      assertThat(log.warnings()).isEmpty();
      application.endHanging();
    }
  }
}
