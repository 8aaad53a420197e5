package dev.replistream;

import dev.replistream.auth.DevelopmentKey;
import dev.replistream.auth.TokenSigner;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.webserver.http.Handler;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import java.time.Clock;
import java.time.Duration;
import java.util.Set;

/// `GET /` in development mode: what this is, and commands that work as they stand, with a fresh
/// token of the user `demo`. Thread-safe.
final class WelcomePage implements Handler {
  private static final Duration TOKEN_LIFE = Duration.ofHours(8);

  private final TokenSigner signer;

  WelcomePage(Settings settings, Clock clock) {
    this.signer =
        new TokenSigner(DevelopmentKey.loadOrCreate(settings.dataDir()), settings.auth(), clock);
  }

  /// A token of the user `demo`.
  String token() {
    return signer.sign("demo", Set.of(), TOKEN_LIFE);
  }

  @Override
  public void handle(ServerRequest request, ServerResponse response) {
    // only a page that was asked for by this machine's own name may hold a token: a foreign name
    // that resolves to 127.0.0.1 is another site's way in
    String host = request.headers().first(HeaderNames.HOST).orElse("");
    boolean local = host.matches("(localhost|127\\.0\\.0\\.1|\\[::1])(:\\d+)?");
    String base = "http://" + (local ? host : "127.0.0.1:" + request.localPeer().port());
    response.header(HeaderValues.create(HeaderNames.CONTENT_TYPE, "text/html; charset=utf-8"));
    response.header(HeaderValues.create(HeaderNames.CACHE_CONTROL, "no-store"));
    response.header(HeaderValues.create("X-Content-Type-Options", "nosniff"));
    response.header(HeaderValues.create("Referrer-Policy", "no-referrer"));
    response.header(
        HeaderValues.create(
            "Content-Security-Policy",
            "default-src 'none'; style-src 'unsafe-inline'; frame-ancestors 'none'; base-uri 'none';"
                + " form-action 'none'"));
    response.send(page(base + Application.API, local ? token() : "TOKEN"));
  }

  private static String page(String api, String token) {
    return """
    <!doctype html>
    <html lang="en">
    <meta charset="utf-8">
    <meta name="viewport" content="width=device-width, initial-scale=1">
    <title>Replistream</title>
    <style>
      :root { color-scheme: light dark; font: 1rem/1.5 system-ui, sans-serif; }
      body { max-width: 46rem; margin: 2rem auto; padding: 0 1rem; }
      pre { padding: .75rem; border: 1px solid; border-radius: .4rem; white-space: pre-wrap; overflow-wrap: anywhere; }
    </style>
    <h1>Replistream</h1>
    <p>The server side of <a href="https://replicache.dev">Replicache</a>: a poke over SSE tells a user's
    clients to pull. It runs in development mode: it serves this machine only, with a key of its own.</p>
    <h2>Try it</h2>
    <p>Keep the token of user <code>demo</code> (good for eight hours) in both terminals:</p>
    <pre tabindex="0">TOKEN=%2$s</pre>
    <p>In one terminal, open a stream. It says <code>connected</code>, and <code>ping</code> now and then:</p>
    <pre tabindex="0">curl -N -H "Authorization: Bearer $TOKEN" %1$s/stream</pre>
    <p>In the other, poke. The stream says <code>data: sync</code> at once:</p>
    <pre tabindex="0">curl -X POST -H "Authorization: Bearer $TOKEN" %1$s/poke-user</pre>
    <p>How many connections there are:</p>
    <pre tabindex="0">curl -H "Authorization: Bearer $TOKEN" %1$s/stats</pre>
    <p>A native <code>EventSource</code> can't send a header: it takes a ticket, good for one use within
    30 seconds, as <code>/stream?ticket=…</code></p>
    <pre tabindex="0">curl -X POST -H "Authorization: Bearer $TOKEN" %1$s/ticket</pre>
    </html>
    """
        .formatted(api, token);
  }
}
