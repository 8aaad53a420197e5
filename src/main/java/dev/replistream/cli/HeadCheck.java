package dev.replistream.cli;

import java.io.IOException;
import java.net.URI;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Optional;

/// What the head of a stream's response tells of the service and of the proxies before it. Confined
/// to the thread that runs the command.
final class HeadCheck {
  /// How old a server may let its `Date` become, which many write once a second.
  private static final Duration DATE_AGE = Duration.ofSeconds(2);

  private static final Duration NOTABLE_SKEW = Duration.ofSeconds(5);

  private final Report report;
  private final Head head;

  HeadCheck(Report report, Head head) {
    this.report = report;
    this.head = head;
  }

  /// Looks at all headers of a stream.
  ///
  /// @return whether its body can be read as events
  boolean run(URI url) {
    if (url.getScheme().equalsIgnoreCase("https") && head.protocol().equals("HTTP/1.1")) {
      report.warn(
          "protocol",
          "HTTP/1.1, of which a browser opens six connections to a host at most, over all tabs",
          "Let the proxy speak HTTP/2 with its clients.");
    }
    boolean events = contentType();
    boolean readable = contentEncoding();
    cacheControl();
    accelBuffering();
    return events && readable;
  }

  private boolean contentType() {
    String type = head.header("Content-Type").orElse("missing");
    String subject = "Content-Type";
    if (type.equals("text/event-stream")) {
      report.ok(subject, type);
      return true;
    }
    if (type.toLowerCase(Locale.ROOT).matches("text/event-stream *;.*")) {
      report.warn(
          subject, type, "A proxy added a parameter, which some clients refuse: turn it off.");
      return true;
    }
    report.fail(
        subject,
        type + " instead of text/event-stream",
        "This is not the service's stream: look at the URL, and at what the proxy sends there.");
    return false;
  }

  private boolean contentEncoding() {
    Optional<String> encoding = head.header("Content-Encoding");
    if (encoding.isEmpty()) {
      report.ok("compression", "none");
      return true;
    }
    report.fail(
        "compression",
        encoding.get() + ": a proxy compresses the stream, and holds events back to do so",
        "Turn compression off for text/event-stream. nginx: take it out of gzip_types and"
            + " brotli_types. Apache: SetEnv no-gzip 1. Caddy: leave it out of encode.");
    return false;
  }

  private void cacheControl() {
    String subject = "Cache-Control";
    String value = head.header(subject).orElse("missing");
    List<String> directives =
        Arrays.stream(value.toLowerCase(Locale.ROOT).split(",")).map(String::strip).toList();
    if (directives.contains("no-transform")) {
      report.ok(subject, value);
    } else {
      report.fail(
          subject,
          value + ", without no-transform: a proxy on the way to users may compress the stream",
          "Let the proxy pass the service's header on. nginx: no expires and no add_header"
              + " Cache-Control for this route.");
    }
  }

  private void accelBuffering() {
    String subject = "X-Accel-Buffering";
    Optional<String> value = head.header(subject);
    boolean nginx =
        head.header("Server").filter(s -> s.toLowerCase(Locale.ROOT).contains("nginx")).isPresent();
    if (value.filter("no"::equalsIgnoreCase).isPresent()) {
      report.ok(subject, "no");
    } else if (value.isEmpty() && nginx) {
      report.ok(subject, "not there: nginx keeps it to itself");
    } else {
      report.warn(
          subject,
          value.orElse("missing") + " instead of no, which tells a proxy to pass events on at once",
          "Fine where this proxy is nginx; any other should pass the service's header on.");
    }
  }

  /// Compares the clock of the service with the one here. The `Date` was written between the
  /// request and the response, and leaves out a fraction of a second.
  void clock() {
    String subject = "clock";
    Optional<Instant> date = date();
    if (date.isEmpty()) {
      report.warn(
          subject,
          "there is no Date header to compare with",
          "Let the proxy pass the service's header on.");
      return;
    }
    Duration behind = Duration.between(date.get().plusSeconds(1), head.sentAt());
    Duration ahead = Duration.between(head.receivedAt(), date.get());
    boolean isAhead = ahead.compareTo(behind) > 0;
    Duration skew = isAhead ? ahead : behind;
    String finding =
        "%s %s the one here".formatted(Report.spoken(skew), isAhead ? "ahead of" : "behind");
    String advice = "Let NTP set both clocks: tokens are good between two times.";
    if (skew.compareTo(TokenCheck.TOLERANCE) > 0) {
      report.fail(subject, finding, advice);
    } else if (skew.compareTo(NOTABLE_SKEW) > 0) {
      report.warn(subject, finding, advice);
    } else {
      report.ok(
          subject,
          skew.compareTo(DATE_AGE) > 0 ? finding : "the same as here, as far as a Date tells");
    }
  }

  private Optional<Instant> date() {
    try {
      return head.headers()
          .firstValue("Date")
          .map(text -> ZonedDateTime.parse(text, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant());
    } catch (DateTimeParseException _) {
      return Optional.empty();
    }
  }

  /// Whether a page of `origin` may read this response, and may send a token at all.
  void cors(Api api, String origin) throws IOException, InterruptedException {
    String subject = "CORS";
    String advice =
        "Add the origin to replistream.cors.allow-origins, and let no proxy add or drop CORS headers.";
    List<String> allowed = head.headers().allValues("Access-Control-Allow-Origin");
    if (!isAllowed(allowed, origin)) {
      report.fail(
          subject,
          "a page of %s may not read the stream: Access-Control-Allow-Origin is %s"
              .formatted(origin, allowed.isEmpty() ? "missing" : String.join(" and ", allowed)),
          advice);
      return;
    }
    Head preflight = api.preflight(origin).head();
    List<String> headers =
        Arrays.stream(preflight.header("Access-Control-Allow-Headers").orElse("").split(","))
            .map(name -> name.strip().toLowerCase(Locale.ROOT))
            .toList();
    if (preflight.status() / 100 == 2
        && isAllowed(preflight.headers().allValues("Access-Control-Allow-Origin"), origin)
        && headers.contains("authorization")) {
      report.ok(subject, "a page of %s may open a stream".formatted(origin));
    } else {
      report.fail(
          subject,
          "a page of %s may not send its token: the preflight was answered with status %s"
              .formatted(origin, preflight.status()),
          advice);
    }
  }

  private static boolean isAllowed(List<String> allowed, String origin) {
    return allowed.equals(List.of("*")) || allowed.equals(List.of(origin));
  }
}
