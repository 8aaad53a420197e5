package dev.replistream.auth;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.nio.charset.StandardCharsets;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.util.Optional;
import java.util.concurrent.CancellationException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/// The keys of a JWK set at a URL, which change while the server runs.
///
/// Thread-safe. At most one read is under way, on a virtual thread of its own; callers that need
/// its outcome wait for it with a deadline, and no lock is held meanwhile. Two reads start at least
/// the cool-down apart, whatever tokens come in, but for those that are due by the set's age, so
/// that made-up ids of keys don't become requests.
final class UrlKeys extends Keys {
  private static final Logger LOGGER = System.getLogger(UrlKeys.class.getName());

  private final JwksUrl url;
  private final Duration refresh;
  private final Duration coolDown;
  private final Clock clock;
  private final AtomicReference<State> state;
  private volatile @Nullable Thread watcher;

  /// All that changes, in one piece.
  ///
  /// @param snapshot the outcome of the last read that went well
  /// @param lastStart when the last read began
  /// @param reading the read that is under way
  private record State(Snapshot snapshot, Instant lastStart, Optional<Read> reading) {}

  /// The outcome of a read; the document has one character for each byte.
  private record Snapshot(KeySet keys, String document, Instant readAt) {}

  /// One read, which any number of callers may wait for.
  private final class Read {
    private final FutureTask<Void> task = new FutureTask<>(() -> run(this), null);

    void start() {
      Thread.ofVirtual().name("jwks").start(task);
    }
  }

  private UrlKeys(JwksUrl url, Duration refresh, Duration coolDown, Clock clock) {
    this.url = url;
    this.refresh = refresh;
    this.coolDown = coolDown;
    this.clock = clock;
    Snapshot nothing = new Snapshot(KeySet.EMPTY, "", Instant.MIN);
    this.state = new AtomicReference<>(new State(nothing, Instant.MIN, Optional.empty()));
  }

  /// Begins the first read and does not wait for it.
  static UrlKeys start(JwksUrl url, Duration refresh, Duration coolDown, Clock clock) {
    UrlKeys keys = new UrlKeys(url, refresh, coolDown, clock);
    keys.begin(keys.state.get(), clock.instant());
    return keys;
  }

  @Override
  public void watch() {
    watcher = Thread.ofVirtual().name("jwks-watch").start(this::readAgainAndAgain);
  }

  @Override
  public void close() {
    Thread running = watcher;
    if (running != null) {
      running.interrupt();
    }
  }

  /// After a read that failed it tries again sooner.
  private void readAgainAndAgain() {
    try {
      while (true) {
        State last = state.get();
        boolean hasFailed = last.snapshot().readAt().isBefore(last.lastStart());
        Thread.sleep(hasFailed && coolDown.compareTo(refresh) < 0 ? coolDown : refresh);
        State current = state.get();
        if (current.reading().isEmpty()) {
          begin(current, clock.instant()).ifPresent(this::await);
        }
      }
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt(); // closed
    }
  }

  @Override
  KeySet latest() {
    return state.get().snapshot().keys();
  }

  @Override
  KeySet current() {
    if (latest() == KeySet.EMPTY) {
      refresh(true);
    } else if (!clock.instant().isBefore(state.get().snapshot().readAt().plus(refresh))) {
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
    State current = state.get();
    if (current.reading().isEmpty()) {
      Instant now = clock.instant();
      if (isCoolingDown(current, now)) {
        return;
      }
      Optional<Read> mine = begin(current, now);
      if (mine.isPresent()) {
        await(mine.get());
        return;
      }
    }
    if (join) {
      state.get().reading().ifPresent(this::await);
    }
  }

  private boolean isCoolingDown(State current, Instant now) {
    Duration since = Duration.between(current.lastStart(), now);
    return !since.isNegative() && since.compareTo(coolDown) < 0; // negative: the clock was set back
  }

  /// Begins a read, unless another caller was first.
  private Optional<Read> begin(State current, Instant now) {
    Read read = new Read();
    State reading = new State(current.snapshot(), now, Optional.of(read));
    if (!state.compareAndSet(current, reading)) {
      return Optional.empty();
    }
    read.start();
    return Optional.of(read);
  }

  private void await(Read read) {
    try {
      read.task.get(url.timeout().toMillis(), TimeUnit.MILLISECONDS);
    } catch (TimeoutException _) {
      read.task.cancel(true);
      end(read, Optional.empty());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (ExecutionException e) {
      LOGGER.log(Level.ERROR, "event=jwks-failed url=" + url, e.getCause());
    } catch (CancellationException _) {
      // another caller that waited gave it up
    }
  }

  private void run(Read read) {
    Optional<Snapshot> outcome = Optional.empty();
    try {
      outcome = load();
    } finally {
      end(read, outcome);
    }
  }

  /// Ends a read. One that was given up before has no outcome any more.
  private void end(Read read, Optional<Snapshot> outcome) {
    state.updateAndGet(current ->
        current.reading().equals(Optional.of(read))
            ? new State(outcome.orElse(current.snapshot()), current.lastStart(), Optional.empty())
            : current);
  }

  private Optional<Snapshot> load() {
    try {
      byte[] bytes = url.read();
      String document = new String(bytes, StandardCharsets.ISO_8859_1);
      Snapshot old = state.get().snapshot();
      if (document.equals(old.document())) {
        // the same set, so what was verified with it stays so
        return Optional.of(new Snapshot(old.keys(), document, clock.instant()));
      }
      KeySet keys = KeySet.parse(bytes, url.toString());
      LOGGER.log(Level.INFO, "event=jwks-read url={0} keys={1}", url, String.valueOf(keys.size()));
      return Optional.of(new Snapshot(keys, document, clock.instant()));
    } catch (JwksUrl.Failure e) {
      LOGGER.log(Level.WARNING, "event=jwks-failed url={0} reason={1}", url, e.getMessage());
    } catch (KeysException _) {
      LOGGER.log(Level.WARNING, "event=jwks-failed url={0} reason=unusable-set", url);
    }
    return Optional.empty();
  }
}
