package dev.replistream.auth;

import dev.replistream.auth.Revocation.Kind;
import dev.replistream.auth.RevocationStore.Page;
import dev.replistream.db.Database;
import dev.replistream.db.DatabaseUnavailableException;
import dev.replistream.db.Upkeep;
import java.time.Clock;
import java.time.Duration;
import java.time.Instant;
import java.time.temporal.ChronoUnit;
import java.util.OptionalInt;
import java.util.concurrent.atomic.AtomicLong;
import java.util.function.Consumer;
import java.util.function.ToIntFunction;

/// Revokes tokens, for as long as they could be good: each revocation is kept in the database and
/// held in memory, on this node at once, and on others of the same database within a few seconds,
/// unless somebody {@link #apply tells} them sooner.
///
/// Thread-safe. It owns one thread, from {@link #start} to {@link #close}, which are for one
/// thread.
public final class Revocations implements AutoCloseable {
  /// How many are kept: about 20 MB in memory.
  public static final int MAX = 100_000;

  private static final Duration REFRESH_INTERVAL = Duration.ofSeconds(5);

  private final RevocationStore store;
  private final RevokedTokens revoked;
  private final Duration life;
  private final Clock clock;
  private final boolean isShared;
  private final AtomicLong seenVersion = new AtomicLong();
  private final Upkeep upkeep = new Upkeep("revocations", this::refresh);
  private volatile ToIntFunction<Revocation> listener = _ -> 0;
  private volatile Consumer<String> teller = _ -> {};

  /// Reads what the database holds into `revoked`.
  ///
  /// @param max how many are kept
  /// @throws DatabaseUnavailableException when it can't be read
  public Revocations(
      Database database, int max, RevokedTokens revoked, AuthSettings settings, Clock clock) {
    this.store = new RevocationStore(database, max);
    this.revoked = revoked;
    // a token that was issued by a clock that is ahead, and is good for the skew past its exp; a
    // second for rounding
    this.life = settings.revocationLife().plus(settings.clockSkew().multipliedBy(2)).plusSeconds(1);
    this.clock = clock;
    this.isShared = store.isShared();
    read();
  }

  /// From now on `ends` hears of each revocation that was not known, after tokens are refused.
  ///
  /// @param ends ends what was opened with such tokens, and tells how many connections those were
  public void subscribe(ToIntFunction<Revocation> ends) {
    listener = ends;
  }

  /// From now on `tell` hears of each revocation that was made on this node, after it is kept.
  ///
  /// @param tell tells the other nodes, by {@link Revocation#toText}
  public void tellBy(Consumer<String> tell) {
    teller = tell;
  }

  /// Takes note of what another node's teller said.
  public void receive(String text) {
    apply(Revocation.parse(text));
  }

  /// Revokes tokens. When this returns, they are refused here and the revocation survives a power
  /// cut.
  ///
  /// @return how many connections were ended on this node; empty when there is no room for another
  ///   revocation
  /// @throws DatabaseUnavailableException when it can't be kept now; it may be done again
  public OptionalInt revoke(Kind kind, String subject) {
    Instant now = clock.instant().truncatedTo(ChronoUnit.MILLIS);
    Revocation revocation = new Revocation(kind, subject, now, now.plus(life));
    if (!store.add(revocation)) {
      return OptionalInt.empty();
    }
    int ended = apply(revocation);
    teller.accept(revocation.toText());
    return OptionalInt.of(ended);
  }

  /// Takes note of a revocation that is in the database: another node's, told by a message. It may
  /// be told any number of times.
  ///
  /// @return how many connections were ended on this node
  int apply(Revocation revocation) {
    return revoked.add(revocation) ? listener.applyAsInt(revocation) : 0;
  }

  /// Reads the revocations of other nodes that came since the last time, and forgets those that
  /// have lapsed.
  ///
  /// @throws DatabaseUnavailableException when the database can't do it now
  public void refresh() {
    if (isShared) {
      read();
    }
    if (revoked.removeExpired()) {
      store.removeExpired(clock.instant());
    }
  }

  private void read() {
    Page page = store.newerThan(seenVersion.get(), clock.instant());
    page.revocations().forEach(this::apply);
    seenVersion.accumulateAndGet(page.version(), Math::max);
  }

  /// Begins to refresh every few seconds.
  public void start() {
    upkeep.start(REFRESH_INTERVAL, REFRESH_INTERVAL);
  }

  /// Ends the thread; a transaction under way ends first.
  @Override
  public void close() {
    upkeep.close();
  }
}
