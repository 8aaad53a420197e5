package dev.replistream.cli;

import static java.nio.charset.StandardCharsets.UTF_8;
import static java.util.concurrent.TimeUnit.MILLISECONDS;

import dev.replistream.http.UrlHost;
import java.io.IOException;
import java.io.InputStream;
import java.net.InetAddress;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.URLEncoder;
import java.net.UnknownHostException;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandler;
import java.net.http.HttpResponse.BodySubscribers;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.Future;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;

/// The routes of one service, as a client calls them. What comes back is neither decoded nor
/// followed: a compressed body stays compressed, a redirect is an answer.
///
/// Confined to the thread that runs the command. Every method may wait for {@link #ANSWER_TIMEOUT}
/// and throws an {@link UnreachableException} when no answer came by then.
final class Api implements AutoCloseable {
  /// How long the head of a response may take, and its body unless it is a stream.
  static final Duration ANSWER_TIMEOUT = Duration.ofSeconds(5);

  private static final Duration CONNECT_TIMEOUT = Duration.ofSeconds(4);

  /// What every route begins with.
  static final String PREFIX = "/api/v1/replicache";

  private static final int MAX_BODY_BYTES = 1 << 20;

  private final URI base;
  private final Supplier<String> token;
  private final Clock clock;
  private final HttpClient client;

  /// @param base where the service is, from {@link #base}
  /// @param token asked for a token with each request
  Api(URI base, Supplier<String> token, Clock clock) {
    this.base = base;
    this.token = token;
    this.clock = clock;
    this.client =
        HttpClient.newBuilder()
            .connectTimeout(CONNECT_TIMEOUT)
            .followRedirects(HttpClient.Redirect.NEVER)
            .version(
                "https".equals(base.getScheme())
                    ? HttpClient.Version.HTTP_2
                    : HttpClient.Version.HTTP_1_1)
            .build();
  }

  /// The address of a service out of what a user gave: `https://example.com`, or the address of its
  /// stream.
  ///
  /// @throws CommandException when it is no URL of http or https, or has more in it than an address
  static URI base(String text) {
    try {
      URI url = new URI(text.strip());
      boolean http =
          "http".equalsIgnoreCase(url.getScheme()) || "https".equalsIgnoreCase(url.getScheme());
      if (http
          && UrlHost.of(url).isPresent()
          && url.getRawUserInfo() == null
          && url.getRawQuery() == null
          && url.getRawFragment() == null) {
        if (url.getHost() == null && "https".equalsIgnoreCase(url.getScheme())) {
          throw new CommandException(
              "no certificate is for a host with an underscore: give another name of it, or http://");
        }
        String path = url.getRawPath().replaceFirst("(" + PREFIX + "(/stream|/events)?)?/*$", "");
        return new URI(url.getScheme() + "://" + url.getRawAuthority() + path);
      }
    } catch (URISyntaxException _) {
      // as for any other text
    }
    throw new CommandException(
        "the URL must be like https://example.com or http://127.0.0.1:8000, without a user, a query"
            + " or a fragment");
  }

  /// The address of a route, such as `/stream`.
  URI url(String route) {
    return URI.create(base + PREFIX + route);
  }

  /// A request for a route. A host with an underscore, which the client of the JDK refuses, is
  /// called by its address, with its name in `Host` as it would be otherwise.
  private HttpRequest.Builder request(String route) throws UnreachableException {
    URI url = url(route);
    if (url.getHost() != null) {
      return HttpRequest.newBuilder(url);
    }
    String name = UrlHost.of(url).orElseThrow();
    try {
      String address = InetAddress.getByName(name).getHostAddress().replaceFirst("%.*", "");
      return HttpRequest.newBuilder(
              URI.create(url.toString().replaceFirst(name, UrlHost.bracketed(address))))
          .setHeader("Host", url.getRawAuthority());
    } catch (UnknownHostException e) {
      throw UnreachableException.of(base, e);
    }
  }

  /// What came of opening a stream.
  sealed interface StreamAnswer {
    /// The head of the response.
    Head head();
  }

  /// Status 200, and a body that goes on; whoever gets it closes it.
  record Opened(Head head, InputStream body) implements StreamAnswer {}

  /// Any other status.
  record Refused(Answer answer) implements StreamAnswer {
    @Override
    public Head head() {
      return answer.head();
    }
  }

  /// Opens a stream with the token.
  ///
  /// @param headers what the request carries besides
  StreamAnswer openStream(Map<String, String> headers) throws IOException, InterruptedException {
    HttpRequest.Builder request = authorized("/stream");
    headers.forEach(request::setHeader);
    return openEvents(request);
  }

  /// Opens a stream as a native EventSource does, which can't send a token.
  StreamAnswer openStreamWith(String ticket) throws IOException, InterruptedException {
    return openEvents(request("/stream?ticket=" + URLEncoder.encode(ticket, UTF_8)));
  }

  /// Posts to a route; without `json` an empty body.
  Answer post(String route, Optional<String> json) throws IOException, InterruptedException {
    HttpRequest.Builder request = authorized(route);
    json.ifPresent(_ -> request.setHeader("Content-Type", "application/json"));
    return whole(
        request.POST(json.map(BodyPublishers::ofString).orElseGet(BodyPublishers::noBody)).build());
  }

  /// Opens the answer of a route, however long it is and takes.
  StreamAnswer download(String route) throws IOException, InterruptedException {
    return open(authorized(route));
  }

  /// Posts what a stream has, however long that is and takes.
  Answer upload(String route, Supplier<InputStream> body) throws IOException, InterruptedException {
    HttpRequest request = authorized(route).POST(BodyPublishers.ofInputStream(body)).build();
    Instant sentAt = clock.instant();
    long sentNanoTime = System.nanoTime();
    try {
      HttpResponse<String> response =
          client.send(
              request,
              _ -> BodySubscribers.limiting(BodySubscribers.ofString(UTF_8), MAX_BODY_BYTES));
      return new Answer(head(response, sentAt, sentNanoTime), response.body());
    } catch (IOException e) {
      throw UnreachableException.of(base, e);
    }
  }

  /// Gets a route.
  Answer get(String route) throws IOException, InterruptedException {
    return whole(authorized(route).build());
  }

  /// Asks what a browser asks before a page of `origin` may open a stream with a token.
  Answer preflight(String origin) throws IOException, InterruptedException {
    return whole(
        request("/stream")
            .method("OPTIONS", BodyPublishers.noBody())
            .setHeader("Origin", origin)
            .setHeader("Access-Control-Request-Method", "GET")
            .setHeader("Access-Control-Request-Headers", "authorization")
            .build());
  }

  private HttpRequest.Builder authorized(String route) throws UnreachableException {
    return request(route).setHeader("Authorization", "Bearer " + token.get());
  }

  private StreamAnswer openEvents(HttpRequest.Builder builder)
      throws IOException, InterruptedException {
    return open(
        builder.setHeader("Accept", "text/event-stream").setHeader("Cache-Control", "no-cache"));
  }

  private StreamAnswer open(HttpRequest.Builder builder) throws IOException, InterruptedException {
    HttpRequest request = builder.build();
    // an error's body is read to its end, a stream's has none
    BodyHandler<Body> handler =
        head ->
            head.statusCode() == 200
                ? BodySubscribers.mapping(BodySubscribers.ofInputStream(), Going::new)
                : BodySubscribers.mapping(
                    BodySubscribers.limiting(BodySubscribers.ofString(UTF_8), MAX_BODY_BYTES),
                    Whole::new);
    Instant sentAt = clock.instant();
    long sentNanoTime = System.nanoTime();
    HttpResponse<Body> response = send(request, handler);
    Head head = head(response, sentAt, sentNanoTime);
    return switch (response.body()) {
      case Going(InputStream stream) -> new Opened(head, stream);
      case Whole(String text) -> new Refused(new Answer(head, text));
    };
  }

  private sealed interface Body {}

  private record Going(InputStream stream) implements Body {}

  private record Whole(String text) implements Body {}

  private Answer whole(HttpRequest request) throws IOException, InterruptedException {
    Instant sentAt = clock.instant();
    long sentNanoTime = System.nanoTime();
    HttpResponse<String> response =
        send(
            request,
            _ -> BodySubscribers.limiting(BodySubscribers.ofString(UTF_8), MAX_BODY_BYTES));
    return new Answer(head(response, sentAt, sentNanoTime), response.body());
  }

  private Head head(HttpResponse<?> response, Instant sentAt, long sentNanoTime) {
    return new Head(
        response.statusCode(),
        response.version(),
        response.headers(),
        sentAt,
        sentNanoTime,
        clock.instant());
  }

  /// Unlike the timeout of a request, this one covers its body.
  private <T> HttpResponse<T> send(HttpRequest request, BodyHandler<T> handler)
      throws IOException, InterruptedException {
    Future<HttpResponse<T>> answer = client.sendAsync(request, handler);
    try {
      return answer.get(ANSWER_TIMEOUT.toMillis(), MILLISECONDS);
    } catch (TimeoutException e) {
      throw UnreachableException.of(base, e);
    } catch (ExecutionException e) {
      throw UnreachableException.of(base, e.getCause() == null ? e : e.getCause());
    } finally {
      answer.cancel(true);
    }
  }

  @Override
  public void close() {
    client.shutdownNow();
  }
}
