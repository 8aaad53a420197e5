package dev.replistream.bench;

import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The training run of the AOT cache: everything that a busy server does, often enough that the
/// cache holds its classes and the profiles of its hot methods. Confined to one thread.
///
/// It fails when the server does not do what a client expects, as a cache of an error path would be
/// worse than none.
public final class Training {
  private static final Duration LIMIT = Duration.ofSeconds(60);
  private static final int USERS = 1_500;
  private static final String API = "/api/v1/replicache";

  private final ServerProcess server;
  private final Loop loop;
  private final List<String> tokens;
  private final HttpClient http =
      HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build();

  private Training(ServerProcess server, Loop loop, List<String> tokens) {
    this.server = server;
    this.loop = loop;
    this.tokens = tokens;
  }

  /// Trains the server whose command is given, and ends it with streams open.
  ///
  /// @param args the log file, `--script` where there are to be mutators in JavaScript, then the
  ///   command
  public static void main(String[] args) throws Exception {
    Path log = Path.of(args[0]);
    boolean hasRules = args[1].equals("--script");
    List<String> command = List.of(args).subList(hasRules ? 2 : 1, args.length);
    Secret secret = new Secret();
    Path data = Files.createTempDirectory(log.toAbsolutePath().getParent(), "training");
    Map<String, String> settings = new HashMap<>();
    if (hasRules) {
      settings.put("REPLISTREAM_MUTATORS_FILE", SyncBench.MUTATORS.toString());
      settings.put("REPLISTREAM_MUTATORS_BUILT_IN", "true");
    }
    settings.putAll(
        Map.of(
            "REPLISTREAM_DATA_DIR", data.toString(),
            "REPLISTREAM_AUTH_SECRET", secret.text(),
            "REPLISTREAM_STREAM_MAX_CONNECTIONS_PER_USER", "100000",
            "REPLISTREAM_STREAM_PING_INTERVAL", "PT1S",
            "REPLISTREAM_STREAM_DRAIN", "PT1S",
            "REPLISTREAM_LIMITS_POKES_PER_SECOND", "0",
            "REPLISTREAM_LIMITS_TICKETS_PER_SECOND", "0",
            "REPLISTREAM_LIMITS_REFUSED_TOKENS_PER_SECOND", "0"));
    try (ServerProcess server = ServerProcess.start(command, settings, log);
        Loop loop = new Loop()) {
      Training training = new Training(server, loop, secret.tokens(USERS));
      training.pokes(USERS, 2, 40_000);
      training.pokes(1, 2_000, 60);
      training.comeAndGo();
      training.requests();
      training.sync();
      if (hasRules) {
        training.rules();
      }
      training.leaveOpen();
    }
    if (Files.readString(log).contains("level=ERROR")) {
      throw new IllegalStateException("the server failed in training:\n" + Files.readString(log));
    }
  }

  private void pokes(int users, int streamsEach, int pokes) throws IOException {
    Deliveries deliveries = new Deliveries(users);
    List<String> callers = tokens.subList(0, users);
    StreamLoad streams = new StreamLoad(loop, server.port(), callers, deliveries);
    streams.open(users * streamsEach, i -> i % users);
    PokeLoad load = new PokeLoad(loop, server.port(), callers, streams, deliveries, 8);
    load.run(pokes, Duration.ZERO, LIMIT);
    check(deliveries.missing() == 0 && load.failed() == 0, "pokes were lost");
    streams.close();
  }

  private void comeAndGo() throws IOException {
    StreamLoad streams =
        new StreamLoad(loop, server.port(), tokens.subList(0, 1), new Deliveries(1));
    for (int round = 0; round < 50; round++) {
      streams.open(200, _ -> 0);
      streams.close();
    }
    check(streams.failed() == 0, "streams were refused");
  }

  /// The short requests, and every kind of refusal.
  private void requests() throws IOException, InterruptedException {
    String token = tokens.getFirst();
    String forged = token.substring(0, token.length() - 6) + "AAAAAA";
    for (int round = 0; round < 200; round++) {
      expect(200, api("GET", "/stats", token));
      expect(200, api("POST", "/ticket", token));
      expect(200, api("POST", "/poke-user", token));
      expect(401, api("GET", "/stats", forged));
      expect(401, api("GET", "/stream", "no.token.at-all"));
      expect(404, api("GET", "/no-such-route", token));
      expect(405, api("DELETE", "/stats", token));
      expect(
          403,
          api("POST", "/poke-user", token)
              .method("POST", BodyPublishers.ofString("{\"userId\":\"user-1\"}")));
      expect(
          400, api("POST", "/poke-user", token).method("POST", BodyPublishers.ofString("{oops")));
      expect(200, admin("/health/live"));
      expect(200, admin("/health/ready"));
      expect(200, admin("/health/started"));
      expect(200, admin("/metrics"));
    }
  }

  /// Pushes and pulls: one change at a time, many at once, nothing new, and everything.
  private void sync() throws IOException {
    for (int user = 0; user < 20; user++) {
      try (SyncClient client = new SyncClient(server.port(), tokens.get(user), "train-" + user)) {
        client.push(0, 500);
        for (int round = 0; round < 100; round++) {
          client.push(round, 1);
          client.catchUp();
          client.pull();
        }
      }
      try (SyncClient fresh = new SyncClient(server.port(), tokens.get(user), "fresh-" + user)) {
        fresh.catchUp();
      }
    }
  }

  /// Pushes for mutators in JavaScript.
  private void rules() throws IOException {
    for (String mutator : List.of("set", "change")) {
      try (SyncClient client =
          new SyncClient(server.port(), tokens.get(30), "rules-" + mutator, mutator)) {
        for (int round = 0; round < 20; round++) {
          client.push(0, 500);
        }
      }
    }
  }

  private HttpRequest.Builder api(String method, String path, String token) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.port() + API + path))
        .header("Authorization", "Bearer " + token)
        .header("Origin", "https://app.example.com")
        .header("Accept", "*/*")
        .method(method, BodyPublishers.noBody());
  }

  private HttpRequest.Builder admin(String path) {
    return HttpRequest.newBuilder(URI.create("http://127.0.0.1:" + server.adminPort() + path));
  }

  private void expect(int status, HttpRequest.Builder request)
      throws IOException, InterruptedException {
    HttpRequest sent = request.timeout(LIMIT).build();
    int answer = http.send(sent, BodyHandlers.discarding()).statusCode();
    check(
        answer == status,
        "%s %s: %d instead of %d".formatted(sent.method(), sent.uri().getPath(), answer, status));
  }

  /// Streams that are open when the server is told to end, so that the drain is trained too.
  private void leaveOpen() throws IOException {
    StreamLoad streams =
        new StreamLoad(loop, server.port(), tokens.subList(0, 500), new Deliveries(500));
    streams.open(500, i -> i);
    check(loop.runUntil(() -> streams.pings() >= 500, LIMIT), "no pings came");
  }

  private static void check(boolean good, String fault) {
    if (!good) {
      throw new IllegalStateException(fault);
    }
  }
}
