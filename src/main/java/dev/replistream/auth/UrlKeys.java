package dev.replistream.auth;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;

/// The keys of a JWK set at a URL, which change while the server runs.
///
/// Thread-safe. At most one read is under way, on a virtual thread of its own; callers that need
/// its outcome wait for it with a deadline, and no lock is held meanwhile. Two reads start at least
/// the cool-down apart, whatever tokens come in, so that made-up ids of keys don't become requests.
final class UrlKeys extends Keys {
  private static final Logger LOGGER = System.getLogger(UrlKeys.class.getName());
  private static final Duration MAX_AGE = Duration.ofMinutes(15);

  private final JwksUrl url;
  private final Duration coolDown;
  private final Clock clock;
  private final AtomicReference<Read> lastRead;
  private volatile Snapshot snapshot = new Snapshot(KeySet.EMPTY, "", Instant.MIN);

  /// One read, which any number of callers may wait for.
  private record Read(Instant startedAt, FutureTask<Void> task) {
    void start() {
      Thread.ofVirtual().name("jwks").start(task);
    }
  }

  /// The outcome of the last read that went well; the document has one character for each byte.
  private record Snapshot(KeySet keys, String document, Instant readAt) {}

  private UrlKeys(JwksUrl url, Duration coolDown, Clock clock) {
    this.url = url;
    this.coolDown = coolDown;
    this.clock = clock;
    this.lastRead = new AtomicReference<>(newRead(clock.instant()));
  }

  /// Begins the first read and does not wait for it.
  static UrlKeys start(JwksUrl url, Duration coolDown, Clock clock) {
    UrlKeys keys = new UrlKeys(url, coolDown, clock);
    keys.lastRead.get().start();
    return keys;
  }

  @Override
  KeySet latest() {
    return snapshot.keys();
  }

  @Override
  KeySet current() {
    if (latest() == KeySet.EMPTY) {
      refresh(true);
    } else if (!clock.instant().isBefore(snapshot.readAt().plus(MAX_AGE))) {
      refresh(false);
    }
    KeySet keys = latest();
    if (keys == KeySet.EMPTY) {
      throw TokenRefusedException.keysUnavailable(coolDown);
    }
    return keys;
  }

  @Override
  KeySet refreshed() {
    refresh(true);
    return latest();
  }

  /// Reads anew and waits, unless the last read is too recent.
  ///
  /// @param join whether to wait for a read that another caller began
  private void refresh(boolean join) {
    Read last = lastRead.get();
    if (last.task().isDone()) {
      Instant now = clock.instant();
      if (isCoolingDown(last, now)) {
        return;
      }
      Read next = newRead(now);
      if (lastRead.compareAndSet(last, next)) {
        next.start();
        await(next);
        return;
      }
    }
    if (join) {
      await(lastRead.get());
    }
  }

  private boolean isCoolingDown(Read last, Instant now) {
    Duration since = Duration.between(last.startedAt(), now);
    return !since.isNegative() && since.compareTo(coolDown) < 0; // negative: the clock was set back
  }

  private void await(Read read) {
    try {
      read.task().get(url.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      read.task().cancel(true);
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      LOGGER.log(Level.ERROR, "event=jwks-failed url=" + url, e.getCause());
    } catch (CancellationException _) {
      // another caller that waited gave it up
    }
  }

  private Read newRead(Instant startedAt) {
    return new Read(startedAt, new FutureTask<>(this::read, null));
  }

  private void read() {
    try {
      byte[] bytes = url.read();
      String document = new String(bytes, StandardCharsets.ISO_8859_1);
      Snapshot old = snapshot;
      if (document.equals(old.document())) {
        // the same set, so what was verified with it stays so
        snapshot = new Snapshot(old.keys(), document, clock.instant());
      } else {
        KeySet keys = KeySet.parse(bytes, url.toString());
        snapshot = new Snapshot(keys, document, clock.instant());
        LOGGER.log(Level.INFO, "event=jwks-read url={0} keys={1}", url, keys.size());
      }
    } catch (JwksUrl.Failure e) {
      LOGGER.log(Level.WARNING, "event=jwks-failed url={0} reason={1}", url, e.getMessage());
    } catch (KeysException _) {
      LOGGER.log(Level.WARNING, "event=jwks-failed url={0} reason=unusable-set", url);
    }
  }
}
