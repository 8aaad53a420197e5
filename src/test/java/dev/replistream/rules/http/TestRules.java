package dev.replistream.rules.http;

import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import dev.replistream.api.JsonValue;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// An application whose rules are asked over HTTP, on the loopback. It answers nobody whose
/// signature it does not verify. Thread-safe.
final class TestRules implements AutoCloseable {
  /// That of the examples of Standard Webhooks.
  static final String SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

  private final Map<String, Rule> rules = new ConcurrentHashMap<>();
  private final List<JsonValue> requests = new CopyOnWriteArrayList<>();
  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final HttpServer server;

  /// A rule.
  @FunctionalInterface
  interface Rule {
    /// Decides about a mutation.
    ///
    /// @param request the whole one
    /// @return a result as JSON, with `'` for `"`; "" to answer only those before
    String decide(JsonValue request, JsonValue mutation) throws Exception;
  }

  TestRules() {
    try {
      server = HttpServer.create(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), 0);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    server.setExecutor(threads);
    server.createContext("/rules", this::answer);
    server.start();
  }

  String url() {
    return "http://127.0.0.1:" + server.getAddress().getPort() + "/rules?key=hidden";
  }

  /// The settings of a service that asks it.
  String[] settings(String... more) {
    List<String> all = new ArrayList<>(List.of("MUTATORS_URL", url(), "MUTATORS_SECRET", SECRET));
    all.addAll(List.of(more));
    return all.toArray(String[]::new);
  }

  /// Has a rule for mutations of this name.
  void on(String name, Rule rule) {
    rules.put(name, rule);
  }

  /// The requests that named a mutation, in the order in which they came.
  List<JsonValue> requests(String name) {
    return requests.stream().filter(each -> names(each).contains(name)).toList();
  }

  /// What the mutations of a request are called.
  static List<String> names(JsonValue request) {
    return request.get("mutations").asElements().stream()
        .map(each -> each.get("name").asText())
        .toList();
  }

  private void answer(HttpExchange exchange) throws IOException {
    byte[] body = exchange.getRequestBody().readAllBytes();
    int status = 200;
    String answer;
    if (!isSigned(exchange, body)) {
      status = 401;
      answer = "";
    } else {
      JsonValue request = JsonValue.parse(new String(body, StandardCharsets.UTF_8));
      requests.add(request);
      answer = decide(request);
    }
    byte[] bytes = answer.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    exchange.sendResponseHeaders(status, bytes.length == 0 ? -1 : bytes.length);
    exchange.getResponseBody().write(bytes);
    exchange.close();
  }

  private String decide(JsonValue request) {
    List<String> results = new ArrayList<>();
    for (JsonValue mutation : request.get("mutations").asElements()) {
      Rule rule =
          rules.getOrDefault(
              mutation.get("name").asText(), (_, _) -> "{'error':{'code':'unknown-mutator'}}");
      try {
        String result = rule.decide(request, mutation);
        if (result.isEmpty()) {
          break;
        }
        results.add(result);
      } catch (Exception e) {
        throw new AssertionError(e);
      }
    }
    return "{'results':[" + String.join(",", results) + "]}";
  }

  private static boolean isSigned(HttpExchange exchange, byte[] body) {
    String id = exchange.getRequestHeaders().getFirst("webhook-id");
    String timestamp = exchange.getRequestHeaders().getFirst("webhook-timestamp");
    return Math.abs(System.currentTimeMillis() / 1000 - Long.parseLong(timestamp)) < 300
        && signature(SECRET, id + "." + timestamp + ".", body)
            .equals(exchange.getRequestHeaders().getFirst("webhook-signature"));
  }

  /// What a signature is, worked out for itself.
  static String signature(String secret, String before, byte[] body) {
    try {
      Mac mac = Mac.getInstance("HmacSHA256");
      mac.init(
          new SecretKeySpec(
              Base64.getDecoder().decode(secret.replaceFirst("^whsec_", "")), "HmacSHA256"));
      mac.update(before.getBytes(StandardCharsets.UTF_8));
      return "v1," + Base64.getEncoder().encodeToString(mac.doFinal(body));
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException(e);
    }
  }

  @Override
  public void close() {
    server.stop(0);
    threads.close();
  }
}
