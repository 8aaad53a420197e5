package dev.replistream.auth;

import dev.replistream.api.JsonValue;
import dev.replistream.auth.TokenRefusedException.Reason;
import dev.replistream.http.ClientAddresses;
import dev.replistream.http.Cors;
import dev.replistream.http.ProblemException;
import dev.replistream.http.SampledLog;
import dev.replistream.http.wire.Wire;
import dev.replistream.json.Json;
import io.helidon.common.uri.UriQuery;
import io.helidon.http.HeaderNames;
import io.helidon.webserver.http.ServerRequest;
import java.lang.System.Logger.Level;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;

/// Finds out from a request who is calling, and refuses a request without a valid credential.
/// Thread-safe.
public final class Authenticator {
  private static final String TICKET = "ticket";
  private static final String BEARER = "Bearer ";
  private static final String COOKIE = "replistream_token=";
  private static final Set<String> TOKEN_PARAMETERS =
      Set.of("token", "access_token", "jwt", "auth", "authorization");

  private final SampledLog log = new SampledLog(System.getLogger(Authenticator.class.getName()));
  private final TokenVerifier verifier;
  private final Tickets tickets;
  private final Cors cors;
  private final AuthMetrics metrics;
  private final StrangerTokens strangers;
  private final ClientAddresses addresses;

  /// An authenticator that counts what it refuses.
  ///
  /// @param cors says from which pages a cookie counts
  /// @param strangers says whose tokens are looked at
  /// @param addresses says where requests come from
  public Authenticator(
      TokenVerifier verifier,
      Tickets tickets,
      Cors cors,
      AuthMetrics metrics,
      StrangerTokens strangers,
      ClientAddresses addresses) {
    this.verifier = verifier;
    this.tickets = tickets;
    this.cors = cors;
    this.metrics = metrics;
    this.strangers = strangers;
    this.addresses = addresses;
  }

  /// The caller by the `Authorization` header (RFC 6750, section 2.1), or else by the cookie
  /// `replistream_token`.
  ///
  /// @throws ProblemException 401 when there is no good token in it, or any token in the URL; 403
  ///   when there is only a cookie, and the page that sent it may not use it; 429 when its address
  ///   has sent too many forged ones; 503 when no key could be read yet
  public Caller caller(ServerRequest request) {
    try {
      refuseTokenInUrl(request.query());
      Optional<String> token = bearer(request);
      return known(request, token.isPresent() ? verify(token.get(), request) : byCookie(request));
    } catch (TokenRefusedException e) {
      throw refused(e, request);
    }
  }

  /// Tells later who is calling by the headers of a `request` whose {@link #caller} is known: the
  /// token may expire meanwhile, or its key be withdrawn. Empty where there was no token in the
  /// `Authorization` header.
  ///
  /// @return what never waits, and throws where only {@link #caller} can tell
  public Optional<Supplier<Caller>> later(ServerRequest request) {
    return bearer(request).map(token -> () -> verifier.remembered(token).orElseThrow());
  }

  /// All claims of the token that showed who the {@link #caller} of a `request` is. It is for
  /// whoever needs more than a {@link Caller} says, as streams keep their callers for long.
  ///
  /// @return what reads the token when it is first asked
  public Supplier<JsonValue> claims(ServerRequest request) {
    return new TokenClaims(bearer(request).or(() -> cookie(request)).orElseThrow());
  }

  /// The caller who opens a stream: by the header, or by the query's `ticket`, which is used up, or
  /// by the cookie.
  ///
  /// @throws ProblemException as {@link #caller} does, and 401 when the ticket is not good
  public Caller streamCaller(ServerRequest request) {
    try {
      UriQuery query = request.query();
      refuseTokenInUrl(query);
      Optional<String> token = bearer(request);
      if (token.isPresent()) {
        return known(request, verify(token.get(), request));
      }
      return known(request, query.contains(TICKET) ? redeem(query) : byCookie(request));
    } catch (TokenRefusedException e) {
      throw refused(e, request);
    }
  }

  /// Notes that the connection which carries `request` is no stranger's.
  private static Caller known(ServerRequest request, Caller caller) {
    Wire.authenticated(request);
    return caller;
  }

  /// Makes the ticket that showed who `caller` is good again: for a stream that could not be opened
  /// now. A native EventSource comes back with the same URL, and would be stopped for good if its
  /// ticket were used up.
  public void giveBack(ServerRequest request, Caller caller) {
    if (caller.credential() == Caller.Credential.TICKET) {
      tickets.giveBack(request.query().get(TICKET), caller);
    }
  }

  private Caller redeem(UriQuery query) {
    Caller caller =
        query
            .first(TICKET)
            .asOptional()
            .flatMap(tickets::redeem)
            .orElseThrow(() -> new TokenRefusedException(Reason.TICKET));
    verifier.refuseRevoked(caller);
    metrics.ticketRedeemed();
    return caller;
  }

  /// A browser sends its cookies along with whatever any page makes it send, so the page has to be
  /// an allowed one.
  private Caller byCookie(ServerRequest request) {
    String token = cookie(request).orElseThrow(Authenticator::missing);
    if (!cors.allowsCookie(request)) {
      throw new TokenRefusedException(Reason.COOKIE_ORIGIN);
    }
    return verify(token, request).by(Caller.Credential.COOKIE);
  }

  private Caller verify(String token, ServerRequest request) {
    return verifier.verify(token, () -> strangers.from(addresses.of(request)));
  }

  /// The token in the request's cookies (RFC 6265, section 4.2.1). Of two, one may have been
  /// planted by another site of the same domain, so neither counts.
  private static Optional<String> cookie(ServerRequest request) {
    if (!request.headers().contains(HeaderNames.COOKIE)) {
      return Optional.empty();
    }
    List<String> tokens =
        request.headers().get(HeaderNames.COOKIE).allValues().stream()
            .flatMap(header -> Arrays.stream(header.split(";", -1)))
            .map(String::strip)
            .filter(pair -> pair.startsWith(COOKIE))
            .map(pair -> pair.substring(COOKIE.length()))
            .filter(token -> !token.isEmpty())
            .toList();
    if (tokens.size() > 1) {
      throw new TokenRefusedException(Reason.COOKIES);
    }
    return tokens.stream().findFirst();
  }

  /// What follows `Bearer`. A header of another scheme is a proxy's business, and counts for none.
  private static Optional<String> bearer(ServerRequest request) {
    if (!request.headers().contains(HeaderNames.AUTHORIZATION)) {
      return Optional.empty();
    }
    List<String> values = request.headers().get(HeaderNames.AUTHORIZATION).allValues();
    if (values.size() > 1) {
      throw new TokenRefusedException(Reason.MALFORMED);
    }
    String value = values.getFirst();
    return value.regionMatches(true, 0, BEARER, 0, BEARER.length())
        ? Optional.of(value.substring(BEARER.length()).strip()).filter(token -> !token.isEmpty())
        : Optional.empty();
  }

  private static void refuseTokenInUrl(UriQuery query) {
    if (query.isEmpty()) {
      return;
    }
    for (String name : query.names()) {
      if (TOKEN_PARAMETERS.contains(name.toLowerCase(Locale.ROOT))
          || isLikeToken(name)
          || query.all(name).stream().anyMatch(Authenticator::isLikeToken)) {
        throw new TokenRefusedException(Reason.IN_URL);
      }
    }
  }

  /// Whether this looks like a JWT: `eyJ` is how base64url writes the beginning of a JSON object.
  private static boolean isLikeToken(String text) {
    int start = text.regionMatches(true, 0, BEARER, 0, BEARER.length()) ? BEARER.length() : 0;
    return text.startsWith("eyJ", start) && text.indexOf('.') != text.lastIndexOf('.');
  }

  private static TokenRefusedException missing() {
    return new TokenRefusedException(Reason.MISSING);
  }

  private String line(Reason reason, ServerRequest request) {
    String line =
        "event=token-refused reason="
            + reason.label()
            + " address="
            + addresses.of(request).getHostAddress();
    return reason == Reason.AUDIENCE_NOT_CONFIGURED
        ? line
            + " detail="
            + Json.quoted(reason.sentence()) // it is the operator who can put it right
        : line;
  }

  private ProblemException refused(TokenRefusedException e, ServerRequest request) {
    metrics.tokenRefused(e.reason());
    log.log(Level.INFO, e.reason().label(), () -> line(e.reason(), request));
    return e.problem().toException();
  }
}
