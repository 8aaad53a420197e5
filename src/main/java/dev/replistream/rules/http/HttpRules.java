package dev.replistream.rules.http;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.replistream.http.SampledLog;
import dev.replistream.json.Json;
import dev.replistream.json.JsonException;
import dev.replistream.rules.Answer;
import dev.replistream.rules.Answers;
import dev.replistream.rules.OpReader.BadOpException;
import dev.replistream.rules.Question;
import dev.replistream.rules.RemoteRules;
import dev.replistream.rules.RulesAwayException;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.metrics.api.Timer;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.lang.System.Logger.Level;
import java.net.ConnectException;
import java.net.HttpURLConnection;
import java.net.MalformedURLException;
import java.net.SocketTimeoutException;
import java.net.URL;
import java.net.UnknownHostException;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;

/// An application's rules, asked by POST to a URL with requests that are signed as Standard
/// Webhooks 1.0 has it. Thread-safe.
///
/// It uses the plain client of the JDK, which has no threads of its own, and keeps a few idle
/// connections for as long as the application says (`Keep-Alive`), or 5 s. Each request has a
/// virtual thread, so that it ends when its time is over, whatever it waits for. Neither the
/// request nor its answer is ever held as a whole.
public final class HttpRules implements RemoteRules {
  private static final System.Logger LOGGER = System.getLogger(HttpRules.class.getName());

  private static final String ANSWERED = "answered";
  private static final String BUSY = "busy";
  static final String TIMEOUT = "timeout";
  private static final String UNREACHABLE = "unreachable";
  private static final String STATUS = "status";
  private static final String MALFORMED = "malformed";
  static final String TOO_LARGE = "too-large";

  /// The long answers that are not applied yet take so much of the heap.
  private static final int HEAP_SHARE = 16;

  /// How large one answer may be, beside one value of the largest size.
  private static final int MAX_ANSWER_BYTES = 4 << 20;

  private final SampledLog log = new SampledLog(LOGGER);
  private final HttpRulesSettings settings;
  private final URL url;
  private final Clock clock;
  private final CallSlots slots = new CallSlots();
  private final AnswerMemory memory;
  private final Map<String, Counter> calls;
  private final Timer duration;

  /// @param maxValueBytes how long a value may be that a rule writes
  /// @param duration told how long each call takes
  public HttpRules(
      HttpRulesSettings settings,
      int maxValueBytes,
      MeterRegistry meters,
      Timer duration,
      Clock clock) {
    this.settings = settings;
    this.duration = duration;
    this.clock = clock;
    try {
      url = settings.url().toURL();
    } catch (MalformedURLException e) {
      throw new IllegalArgumentException("the URL is http or https", e);
    }
    long maxBytes = (long) MAX_ANSWER_BYTES + maxValueBytes;
    long maxLongOnes = Runtime.getRuntime().maxMemory() / HEAP_SHARE / maxBytes;
    memory = new AnswerMemory(maxBytes, Math.clamp(maxLongOnes, 1, CallSlots.MAX));
    calls =
        Stream.of(ANSWERED, BUSY, TIMEOUT, UNREACHABLE, STATUS, MALFORMED, TOO_LARGE)
            .collect(Collectors.toMap(outcome -> outcome, outcome -> counter(meters, outcome)));
  }

  private static Counter counter(MeterRegistry meters, String outcome) {
    return meters.getOrCreate(
        Counter.builder("replistream_rule_calls")
            .description("Requests to the application's rules, by what came of them")
            .tags(List.of(Tag.create("outcome", outcome))));
  }

  private void count(String outcome) {
    Objects.requireNonNull(calls.get(outcome)).increment();
  }

  @Override
  public Answers ask(Question question) {
    CallSlots.Slot slot;
    try {
      slot = slots.take(question.userId());
    } catch (RulesAwayException e) {
      count(BUSY);
      log.log(
          Level.WARNING, BUSY, () -> line(question, BUSY, "all requests at a time are under way"));
      throw e;
    }
    AnswerMemory.Share share = memory.open();
    long start = System.nanoTime();
    try {
      List<Answer> answers = await(new Call(question, share, start), slot);
      count(ANSWERED);
      return new Answers(answers, share::close);
    } catch (CallFailedException e) {
      share.close();
      count(e.kind());
      log.log(
          Level.WARNING, e.kind(), () -> line(question, e.kind(), String.valueOf(e.getMessage())));
      throw new RulesAwayException("The application's rules do not answer; come again.");
    } catch (Throwable e) {
      share.close();
      throw e;
    } finally {
      duration.record(Duration.ofNanos(System.nanoTime() - start));
    }
  }

  private String line(Question question, String kind, String reason) {
    return "event=rules-failed outcome="
        + kind
        + " url="
        + this
        + " mutations="
        + question.mutations().size()
        + " reason="
        + SampledLog.quoted(reason);
  }

  /// The place is free again when the call has ended, which may be later than anybody waits for it.
  private List<Answer> await(Call call, CallSlots.Slot slot) throws CallFailedException {
    FutureTask<List<Answer>> task = new FutureTask<>(call::run);
    Thread.ofVirtual()
        .name("rules")
        .start(() -> {
          try (slot) {
            task.run();
          }
        });
    try {
      return task.get(settings.timeout().toNanos(), TimeUnit.NANOSECONDS);
    } catch (TimeoutException _) {
      task.cancel(true);
      throw tooSlow();
    } catch (InterruptedException _) {
      task.cancel(true);
      Thread.currentThread().interrupt();
      throw new RulesAwayException("The server is stopping; come again.");
    } catch (ExecutionException e) {
      throw failure(e.getCause());
    }
  }

  /// What a call has failed with. The client of the JDK has runtime exceptions and deep recursions
  /// for some of what an application can send.
  private static CallFailedException failure(@Nullable Throwable thrown) {
    if (thrown instanceof CallFailedException failed) {
      return failed;
    }
    if (thrown instanceof VirtualMachineError broken && !(broken instanceof StackOverflowError)) {
      throw broken;
    }
    return new CallFailedException(
        UNREACHABLE, thrown == null ? "nothing" : thrown.getClass().getSimpleName());
  }

  private CallFailedException tooSlow() {
    return new CallFailedException(TIMEOUT, "no whole answer within " + settings.timeout());
  }

  /// The host and the path; a query may hold what is not for the log.
  @Override
  public String toString() {
    return url.getProtocol() + "://" + url.getAuthority() + url.getPath();
  }

  /// One question, asked on a thread of its own.
  private final class Call {
    private final Question question;
    private final AnswerMemory.Share share;
    private final long startNanos;
    private final String id = "msg_" + UUID.randomUUID();

    Call(Question question, AnswerMemory.Share share, long startNanos) {
      this.question = question;
      this.share = share;
      this.startNanos = startNanos;
    }

    List<Answer> run() throws IOException {
      try {
        HttpURLConnection connection = sent();
        try {
          return read(connection);
        } catch (Throwable e) {
          connection.disconnect();
          throw e;
        }
      } catch (SocketTimeoutException _) {
        throw tooSlow();
      }
    }

    /// A connection by which the question was sent, and that has a status. It may have been kept
    /// from an earlier question, and the application may have closed it meanwhile: so where it ends
    /// without a status, the question is sent once more.
    private HttpURLConnection sent() throws IOException {
      try {
        return send();
      } catch (SocketTimeoutException | ConnectException | UnknownHostException e) {
        throw e;
      } catch (IOException _) {
        return send();
      }
    }

    private HttpURLConnection send() throws IOException {
      long seconds = clock.instant().getEpochSecond();
      WebhookSecret.Signature signature = settings.secret().sign(id, seconds, this::write);
      int leftMillis = leftMillis();
      HttpURLConnection connection = (HttpURLConnection) url.openConnection();
      try {
        connection.setConnectTimeout(leftMillis);
        connection.setReadTimeout(leftMillis);
        connection.setInstanceFollowRedirects(false);
        connection.setUseCaches(false);
        connection.setRequestMethod("POST");
        connection.setDoOutput(true);
        connection.setFixedLengthStreamingMode(signature.bytes());
        connection.setRequestProperty("Content-Type", "application/json");
        connection.setRequestProperty("Accept", "application/json");
        connection.setRequestProperty("User-Agent", "Replistream");
        connection.setRequestProperty("webhook-id", id);
        connection.setRequestProperty("webhook-timestamp", Long.toString(seconds));
        connection.setRequestProperty("webhook-signature", signature.header());
        try (OutputStream out = connection.getOutputStream()) {
          Json.write(out, this::write);
        }
        connection.getResponseCode();
        return connection;
      } catch (Throwable e) {
        connection.disconnect();
        throw e;
      }
    }

    private int leftMillis() throws CallFailedException {
      long nanos = settings.timeout().toNanos() - (System.nanoTime() - startNanos);
      if (nanos <= 0 || Thread.currentThread().isInterrupted()) {
        throw tooSlow();
      }
      return Math.toIntExact(Math.max(1, TimeUnit.NANOSECONDS.toMillis(nanos)));
    }

    private void write(JsonGenerator json) throws IOException {
      json.writeStartObject();
      json.writeStringField("userId", question.userId());
      json.writeFieldName("claims");
      Json.embed(json, question.claims().toJson());
      json.writeStringField("clientGroupID", question.clientGroupID());
      json.writeStringField("schemaVersion", question.schemaVersion());
      json.writeArrayFieldStart("mutations");
      for (Question.Asked mutation : question.mutations()) {
        json.writeStartObject();
        json.writeStringField("clientID", mutation.clientID());
        json.writeNumberField("id", mutation.id());
        json.writeStringField("name", mutation.name());
        json.writeFieldName("args");
        Json.embed(json, mutation.argsText());
        json.writeEndObject();
      }
      json.writeEndArray();
      json.writeEndObject();
    }

    private List<Answer> read(HttpURLConnection connection) throws IOException {
      int status = connection.getResponseCode();
      if (status != HttpURLConnection.HTTP_OK) {
        throw new CallFailedException(STATUS, "status " + status);
      }
      try (InputStream answer = share.counting(connection.getInputStream())) {
        return Json.read(answer, parser -> AnswerReader.read(parser, question.mutations().size()));
      } catch (BadOpException | JsonException e) {
        throw new CallFailedException(MALFORMED, String.valueOf(e.getMessage()));
      } catch (UncheckedIOException e) {
        throw e.getCause();
      }
    }
  }
}
