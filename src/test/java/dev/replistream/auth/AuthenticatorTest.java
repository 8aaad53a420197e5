package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.api.JsonValue;
import dev.replistream.auth.TokenRefusedException.Reason;
import dev.replistream.http.ClientAddresses;
import dev.replistream.http.Cors;
import dev.replistream.http.RateLimit;
import dev.replistream.http.Routes;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.http.Status;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.webclient.http1.Http1Client;
import io.helidon.webclient.http1.Http1ClientRequest;
import io.helidon.webclient.http1.Http1ClientResponse;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.testing.junit5.ServerTest;
import io.helidon.webserver.testing.junit5.SetUpRoute;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Set;
import java.util.logging.Logger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/// The credentials of requests, over HTTP.
@ServerTest
final class AuthenticatorTest {
  private static final String SECRET = "a shared secret of more than 32 bytes";
  private static final TokenSigner SIGNER =
      new TokenSigner(SECRET, Issuer.SETTINGS, Clock.systemUTC());
  private static final MeterRegistry METERS = MeterRegistry.create();

  private final Http1Client client;
  private final String token = SIGNER.sign("alice", Set.of(), Duration.ofHours(1));
  private final RecordedLog log = new RecordedLog();

  AuthenticatorTest(Http1Client client) {
    this.client = client;
  }

  @SetUpRoute
  static void routes(HttpRouting.Builder routing) {
    Tickets tickets =
        new Tickets(
            Duration.ofSeconds(30), new MemoryTickets(100, Clock.systemUTC()), Clock.systemUTC());
    AuthMetrics metrics = new AuthMetrics(METERS);
    Cors cors = new Cors(List.of("*"), List.of(), Set.of());
    Authenticator authenticator =
        new Authenticator(
            new TokenVerifier(
                Keys.sharedSecret(SECRET), Issuer.SETTINGS, Clock.systemUTC(), _ -> false),
            tickets,
            cors,
            metrics,
            new StrangerTokens(0, METERS),
            new ClientAddresses(List.of()));
    new Routes()
        .on(
            Method.GET,
            "/who",
            (request, response) -> send(response, authenticator.caller(request)))
        .on(
            Method.GET,
            "/stream",
            (request, response) -> send(response, authenticator.streamCaller(request)))
        .on(
            Method.POST,
            "/ticket",
            new TicketHandler(authenticator, tickets, metrics, new RateLimit("tickets", 0, METERS)))
        .register(routing, cors);
  }

  private static void send(ServerResponse response, Caller caller) {
    response.send(caller.userId() + " by " + caller.credential());
  }

  @BeforeEach
  void listen() {
    Logger.getLogger("dev.replistream.auth").addHandler(log);
  }

  @AfterEach
  void ignore() {
    Logger.getLogger("dev.replistream.auth").removeHandler(log);
  }

  @ParameterizedTest
  @ValueSource(strings = {"Bearer ", "bearer ", "BEARER ", "Bearer   "})
  void theHeaderNamesTheCaller(String scheme) {
    for (String path : List.of("/who", "/stream")) {
      try (Http1ClientResponse response = get(path, scheme + token).request()) {
        assertThat(response.status()).isEqualTo(Status.OK_200);
        assertThat(response.as(String.class)).isEqualTo("alice by HEADER");
      }
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "Bearer", "Bearer ", "Basic YWxpY2U6YWxpY2U=", "alice", "BearerX"})
  void withoutAToken401ComesWithThePlainChallenge(String header) {
    for (String path : List.of("/who", "/stream")) {
      assertMissing(get(path, header));
    }
  }

  @Test
  void withoutAHeader401ComesWithThePlainChallenge() {
    for (String path : List.of("/who", "/stream", "/stream?ticke=1", "/who?ticket=1")) {
      assertMissing(get(path));
    }
  }

  @Test
  void aBadTokenIsToldWhatIsWrong() {
    String changed = token.substring(0, token.length() - 3);

    assertRefused(get("/who", "Bearer garbage"), Reason.MALFORMED);
    assertRefused(get("/who", "Bearer x, Bearer " + token), Reason.MALFORMED);
    assertRefused(get("/who", "Bearer " + changed), Reason.SIGNATURE);
    assertRefused(get("/stream?ticket=x", "Bearer " + changed), Reason.SIGNATURE);
    assertRefused(get("/stream", "Bearer " + "a".repeat(8193)), Reason.TOO_LONG);
  }

  @Test
  void twoHeadersAreNoneToChooseFrom() {
    Http1ClientRequest request =
        client
            .get("/who")
            .header(HeaderValues.create(HeaderNames.AUTHORIZATION, "Bearer " + token, "Bearer x"));

    assertRefused(request, Reason.MALFORMED);
  }

  @Test
  void aTicketOpensOneStream() {
    long issued = count("replistream_tickets_issued");
    long redeemed = count("replistream_tickets_redeemed");
    String ticket = ticket();

    try (Http1ClientResponse response = get("/stream?ticket=" + ticket).request()) {
      assertThat(response.as(String.class)).isEqualTo("alice by TICKET");
    }
    assertRefused(get("/stream?ticket=" + ticket), Reason.TICKET);
    assertRefused(get("/stream?ticket="), Reason.TICKET);
    assertRefused(get("/stream?ticket"), Reason.TICKET);
    assertThat(count("replistream_tickets_issued")).isEqualTo(issued + 1);
    assertThat(count("replistream_tickets_redeemed")).isEqualTo(redeemed + 1);
  }

  @Test
  void aTicketIsForStreamsAlone() {
    String ticket = ticket();

    assertMissing(get("/who?ticket=" + ticket));
    assertMissing(client.post("/ticket?ticket=" + ticket).skipUriEncoding(true));
    assertRefused(get("/who", "Bearer " + ticket), Reason.MALFORMED);
  }

  @Test
  void aTicketWorksBesideTheCredentialOfAProxy() {
    String ticket = ticket();

    try (Http1ClientResponse response =
        get("/stream?ticket=" + ticket, "Basic YWxpY2U6YWxpY2U=").request()) {
      assertThat(response.as(String.class)).isEqualTo("alice by TICKET");
    }
  }

  @Test
  void aTicketLivesNoLongerThanItsToken() {
    assertThat(expiresIn(token)).isEqualTo(30);

    Clock behind = Clock.offset(Clock.systemUTC(), Duration.ofSeconds(-26));
    TokenSigner early = new TokenSigner(SECRET, Issuer.SETTINGS, behind);
    String late = early.sign("alice", Set.of(), Duration.ofSeconds(1));
    // its exp is 25 to 24 s ago, and the clocks may differ by 30
    assertThat(expiresIn(late)).isBetween(0L, 6L);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "token=x",
        "access_token=x",
        "Access_Token=x",
        "jwt=x",
        "auth=",
        "authorization",
        "a=1&token=x",
        "%74oken=x",
        "any=JWT",
        "ticket=JWT",
        "a=1&b=2&ticket=1&ticket=JWT",
        "JWT",
        "JWT=",
        "any=Bearer%20JWT",
        "any=Bearer+JWT",
        "any=%65yJhbGciOiJub25lIn0.e30.",
      })
  void aTokenInTheUrlIsRefusedWhateverElseComes(String query) {
    for (String route : List.of("/who?", "/stream?")) {
      String uri = route + query.replace("JWT", token);
      for (Http1ClientRequest request : List.of(get(uri), get(uri, "Bearer " + token))) {
        assertThat(challenge(request, Reason.IN_URL))
            .startsWith("Bearer error=\"invalid_request\", error_description=\"");
      }
    }
  }

  @Test
  void otherParametersAreNobodysBusiness() {
    try (Http1ClientResponse response =
        get("/who?profile=a.b.c&eyJ=1&tokens=2&v=eyJ.1", "Bearer " + token).request()) {
      assertThat(response.status()).isEqualTo(Status.OK_200);
    }
  }

  private String ticket() {
    try (Http1ClientResponse response = post(token).request()) {
      assertThat(response.status()).isEqualTo(Status.OK_200);
      assertThat(response.headers().get(HeaderNames.CACHE_CONTROL).get()).isEqualTo("no-store");
      assertThat(response.headers().contentType().orElseThrow().text())
          .isEqualTo("application/json");
      JsonValue body = json(response);
      assertThat(body.get("expiresIn").asLong()).isEqualTo(30);
      assertThat(body.asMembers()).hasSize(2);
      return body.get("ticket").asText();
    }
  }

  private long expiresIn(String token) {
    try (Http1ClientResponse response = post(token).request()) {
      return json(response).get("expiresIn").asLong();
    }
  }

  private Http1ClientRequest post(String token) {
    return client.post("/ticket").header(HeaderNames.AUTHORIZATION, "Bearer " + token);
  }

  private Http1ClientRequest get(String uri) {
    return client.get(uri).skipUriEncoding(true);
  }

  private Http1ClientRequest get(String uri, String authorization) {
    return get(uri).header(HeaderNames.AUTHORIZATION, authorization);
  }

  private void assertMissing(Http1ClientRequest request) {
    assertThat(challenge(request, Reason.MISSING)).isEqualTo("Bearer");
  }

  private void assertRefused(Http1ClientRequest request, Reason reason) {
    assertThat(challenge(request, reason))
        .isEqualTo(
            "Bearer error=\"invalid_token\", error_description=\"%s\""
                .formatted(reason.sentence()));
  }

  /// Asserts that the request is refused and counted, and that a line of the log about it, if it is
  /// among those that are written, says why; tells the challenge.
  private String challenge(Http1ClientRequest request, Reason reason) {
    long count = failures(reason);
    log.clear();
    try (Http1ClientResponse response = request.request()) {
      assertThat(response.status()).isEqualTo(Status.UNAUTHORIZED_401);
      assertThat(response.headers().contentType().orElseThrow().text())
          .isEqualTo("application/problem+json");
      assertThat(json(response).get("detail").asText()).isEqualTo(reason.sentence());
      assertThat(failures(reason)).isEqualTo(count + 1);
      assertThat(log.lines())
          .allMatch(
              ("event=token-refused reason=" + reason.label() + " address=127.0.0.1")::equals);
      return response.headers().get(HeaderNames.WWW_AUTHENTICATE).get();
    }
  }

  private static JsonValue json(Http1ClientResponse response) {
    return JsonValue.parse(response.as(String.class));
  }

  private static long failures(Reason reason) {
    return METERS
        .counter("replistream_token_failures", List.of(Tag.create("reason", reason.label())))
        .orElseThrow()
        .count();
  }

  private static long count(String name) {
    return METERS.counter(name, List.of()).orElseThrow().count();
  }
}
