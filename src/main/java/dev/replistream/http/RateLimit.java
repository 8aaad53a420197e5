package dev.replistream.http;

import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.lang.System.Logger.Level;
import java.util.List;
import java.util.concurrent.TimeUnit;

/// How often a user may do something: so many times a second, and ten seconds' worth at once.
/// Beyond that it is 429 (RFC 6585, section 4), counted, and logged in samples. Thread-safe.
public final class RateLimit {
  private final String what;
  private final int perSecond;
  private final TokenBuckets buckets;
  private final Counter refused;
  private final SampledLog log = new SampledLog(System.getLogger(RateLimit.class.getName()));

  /// @param what is limited, as it stands in the configuration's key and the metric's label
  /// @param perSecond how often; 0 for any number of times
  public RateLimit(String what, int perSecond, MeterRegistry meters) {
    this.what = what;
    this.perSecond = perSecond;
    this.buckets = new TokenBuckets(perSecond);
    this.refused = refused(meters, what);
  }

  /// The counter of what is refused for its rate.
  public static Counter refused(MeterRegistry meters, String what) {
    return meters.getOrCreate(
        Counter.builder("replistream_rate_limited")
            .description("Requests that were refused as one too many a second, by limit")
            .tags(List.of(Tag.create("limit", what))));
  }

  /// Counts one.
  ///
  /// @throws ProblemException 429 when it is one too many
  public void take(String userId) {
    long waitNanos = buckets.take(userId);
    if (waitNanos > 0) {
      refused.increment();
      log.log(
          Level.INFO,
          what,
          () -> "event=rate-limited limit=" + what + " user=" + SampledLog.quoted(userId));
      throw problem(
              "This user sends more of the kind than replistream.limits.%s-per-second allows, which is %s: slow down, and try again."
                  .formatted(what, perSecond),
              waitNanos)
          .toException();
    }
  }

  /// Counts what one has turned out to be worth beyond itself; what there is too little for is
  /// owed, up to ten seconds' worth, and the next waits for it.
  public void spend(String userId, int count) {
    buckets.spend(userId, count);
  }

  /// 429 with `Retry-After`.
  public static Problem problem(String detail, long waitNanos) {
    long seconds = TimeUnit.NANOSECONDS.toSeconds(waitNanos) + 1;
    return Problem.of(Status.TOO_MANY_REQUESTS_429, detail)
        .with(HeaderNames.RETRY_AFTER, Long.toString(seconds));
  }
}
