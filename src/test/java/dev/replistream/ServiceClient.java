package dev.replistream;

import dev.replistream.auth.AuthSettings;
import dev.replistream.auth.TokenSigner;
import jakarta.json.JsonObject;
import java.time.Clock;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// A caller of one running service, who can sign tokens for anybody. Thread-safe: each call has a
/// connection of its own.
public final class ServiceClient {
  private static final Pattern SAMPLE = Pattern.compile("(\\w+)(?:\\{(.*)})? (\\S+)");

  private final int port;
  private final int adminPort;
  private final TokenSigner signer;

  /// A caller of the service at these ports of this machine.
  public ServiceClient(int port, int adminPort, Settings settings, Clock clock) {
    this.port = port;
    this.adminPort = adminPort;
    // a service without a secret takes no token of this signer
    this.signer =
        new TokenSigner(auth(settings).secret().orElse(TestService.SECRET), auth(settings), clock);
  }

  /// The port of the API.
  public int port() {
    return port;
  }

  /// The port of health and metrics.
  public int adminPort() {
    return adminPort;
  }

  /// A token of a user, good for an hour.
  public String token(String userId, String... scopes) {
    return signer.sign(userId, Set.of(scopes), Duration.ofHours(1));
  }

  /// A token of a user, good for `ttl` and up to a second longer.
  public String token(String userId, Duration ttl) {
    return signer.sign(userId, Set.of(), ttl);
  }

  /// A token of a user with a `sid`, good for an hour.
  public String tokenWithSid(String userId, String sid, String... scopes) {
    return signer.sign(userId, Set.of(scopes), Duration.ofHours(1), sid);
  }

  /// A ticket of a user.
  public String ticket(String userId) {
    return send(HttpRequest.api("POST", "/ticket").by(token(userId))).json().getString("ticket");
  }

  /// A connection to the API's port.
  public HttpConnection connect() {
    return new HttpConnection(port);
  }

  /// Sends one request over a connection of its own. The reply is as `openapi.yaml` says.
  public HttpReply send(HttpRequest request) {
    HttpReply reply = exchange(port, request);
    OpenApi.ofFile().check(request, reply);
    return reply;
  }

  /// Sends one request to the operator's port.
  public HttpReply admin(String path) {
    return exchange(adminPort, HttpRequest.of("GET", path));
  }

  private static HttpReply exchange(int port, HttpRequest request) {
    try (HttpConnection connection = new HttpConnection(port)) {
      connection.send(request.with("Connection", "close").toBytes());
      return request.method().equals("HEAD") ? connection.replyWithoutBody() : connection.reply();
    }
  }

  /// Pokes a user by its own request.
  ///
  /// @return how many clients were notified
  public int poke(String userId) {
    HttpReply reply = send(pokeOf(userId));
    if (reply.status() != 200) {
      throw new AssertionError(reply);
    }
    return reply.json().getInt("clientsNotified");
  }

  /// The request by which a user pokes their own clients.
  public HttpRequest pokeOf(String userId) {
    return HttpRequest.api("POST", "/poke-user").by(token(userId));
  }

  /// The counts of a user.
  public JsonObject stats(String userId) {
    return send(HttpRequest.api("GET", "/stats").by(token(userId))).json();
  }

  /// How many connections a user has.
  public int connections(String userId) {
    return stats(userId).getInt("userConnections");
  }

  /// Opens a stream by a request; the response's head is read, whatever it says.
  public StreamClient open(HttpRequest request) {
    return new StreamClient(connect(), request);
  }

  /// The request of a user's stream.
  public HttpRequest stream(String userId) {
    return HttpRequest.api("GET", "/stream").by(token(userId));
  }

  /// Opens a stream of a user that has not been connected before, and reads `connected`.
  public StreamClient connected(String userId) {
    StreamClient client = open(stream(userId));
    client.expect("connected");
    return client;
  }

  /// Opens a stream of a user that saw `lastEventId` last, and reads `connected`.
  public StreamClient resumed(String userId, String lastEventId) {
    StreamClient client = open(stream(userId).with("Last-Event-ID", lastEventId));
    client.expect("connected");
    return client;
  }

  /// Opens a WebSocket by a request; the response's head is read, whatever it says.
  public WebSocketClient openWebSocket(HttpRequest request) {
    return new WebSocketClient(connect(), request);
  }

  /// Opens a WebSocket of a user whose frames have ids, and reads `connected`.
  public WebSocketClient connectedWebSocket(String userId) {
    WebSocketClient client =
        openWebSocket(WebSocketClient.handshake("?lastEventId=").by(token(userId)));
    client.expect("connected");
    return client;
  }

  /// All samples of the operator's page of metrics, by name and labels without the scope, such as
  /// `replistream_connections_closed_total{reason="stalled"}`.
  public Map<String, Double> metrics() {
    Map<String, Double> samples = new TreeMap<>();
    for (String line : admin("/metrics").body().lines().toList()) {
      Matcher sample = SAMPLE.matcher(line);
      if (!line.startsWith("#") && sample.matches()) {
        String labels = sample.group(2) == null ? "" : sample.group(2);
        String own = labels.replaceAll("scope=\"\\w+\",?", "").replaceAll(",$", "");
        samples.put(
            sample.group(1) + (own.isEmpty() ? "" : "{" + own + "}"),
            Double.parseDouble(sample.group(3)));
      }
    }
    return samples;
  }

  /// What a service of these settings asks of tokens.
  public static AuthSettings auth(Settings settings) {
    return switch (settings) {
      case ServiceSettings own -> own.auth();
    };
  }
}
