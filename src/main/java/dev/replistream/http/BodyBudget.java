package dev.replistream.http;

import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import io.helidon.webserver.http.ServerRequest;
import java.time.Duration;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.OptionalLong;
import java.util.Set;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// How many bytes of bodies may be read and applied at a time: so many for the node, and a quarter
/// of them for one user. Beyond it a request waits for a second, and is then answered 503, before
/// anything of it is read.
///
/// A body counts with the length that its head says, and one that comes in chunks with what has
/// come of it. Where there is no room, so do those that have been coming for two seconds: nobody
/// keeps others out by announcing much and sending little. Bodies of more than 64 KiB leave a
/// quarter of the node's bytes to smaller ones, which are most. Where nothing long is under way
/// there is always room for one long body, whatever its length: one of the node's, and one of a
/// user's.
///
/// Thread-safe. It keeps a number for each user whose body is under way, and each such body.
public final class BodyBudget implements AutoCloseable {
  /// Of the largest heap: a body and what is made of it take a few times the body's length.
  private static final int SHARE_OF_HEAP = 8;

  /// The least budget that comes of a share of the heap.
  private static final long LEAST_BYTES = 4 << 20;

  private static final int LONG_BYTES = 64 << 10;
  private static final Duration PATIENCE = Duration.ofSeconds(1);
  private static final Duration HEAD_START = Duration.ofSeconds(2);

  private final long nodeBytes;
  private final long patienceNanos;
  private final long headStartNanos;
  private final Limit ofNode;
  private final Limit ofUser;
  private final MeterRegistry meters;
  private final Gauge<Long> inflight;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition freed = lock.newCondition();

  // guarded by the lock
  private final Map<String, Use> users = new HashMap<>();
  private final Set<Share> shares = new HashSet<>();
  private final Use node = new Use();

  /// Registers its meters.
  ///
  /// @param bytes how many bytes the node's bodies may have, 1 or more; none for an eighth of the
  ///   largest heap
  public BodyBudget(OptionalLong bytes, MeterRegistry meters) {
    this(
        bytes.orElseGet(
            () -> Math.max(LEAST_BYTES, Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP)),
        meters,
        PATIENCE,
        HEAD_START);
  }

  /// @param patience how long a request waits for room
  /// @param headStart how long a body counts with what its head says
  BodyBudget(long nodeBytes, MeterRegistry meters, Duration patience, Duration headStart) {
    this.nodeBytes = nodeBytes;
    patienceNanos = patience.toNanos();
    headStartNanos = headStart.toNanos();
    ofNode =
        new Limit(
            refused(meters, "node"),
            "The server is at work on as much as it takes at a time; come again.");
    ofUser =
        new Limit(
            refused(meters, "user"),
            "Too much of this user is under way; come again when that is answered.");
    this.meters = meters;
    inflight =
        meters.getOrCreate(
            Gauge.builder("replistream_bodies_inflight_bytes", this::inflightBytes)
                .description("Bytes of bodies that are read and applied now"));
  }

  private static Counter refused(MeterRegistry meters, String limit) {
    return meters.getOrCreate(
        Counter.builder("replistream_bodies_refused")
            .description("Requests refused for the bytes of bodies under way, by whose they are")
            .tags(List.of(Tag.create("limit", limit))));
  }

  private record Limit(Counter count, String detail) {}

  /// What one user, or the node, has under way.
  private static final class Use {
    long bytes;
    long longBytes;

    void add(long moreBytes, boolean isLong) {
      bytes += moreBytes;
      longBytes += isLong ? moreBytes : 0;
    }

    /// Whether a share, which is counted here, may be as large as this.
    boolean hasRoom(Share share, long shareBytes, boolean isLong, long limitBytes) {
      long othersBytes = bytes - share.takenBytes;
      long othersLongBytes = longBytes - (share.isLong ? share.takenBytes : 0);
      return othersBytes + shareBytes <= limitBytes || (isLong && othersLongBytes == 0);
    }
  }

  /// A way to read bodies of at most so many bytes within this budget.
  public Bodies bodiesOf(int maxBytes) {
    return new Bodies(this, maxBytes);
  }

  /// How many bytes are under way.
  long inflightBytes() {
    lock.lock();
    try {
      return node.bytes;
    } finally {
      lock.unlock();
    }
  }

  /// Takes what the body of `request` needs before it is read.
  ///
  /// @param maxBytes how much of it is kept at most
  /// @throws ProblemException 503 where there is no room for it
  Share take(ServerRequest request, String userId, int maxBytes) {
    long length =
        request.content().hasEntity() ? request.headers().contentLength().orElse(LONG_BYTES) : 0;
    return take(userId, Math.min(length, maxBytes));
  }

  /// Takes so many bytes, and waits for them if it has to.
  ///
  /// @throws ProblemException 503 where there is no room for them
  Share take(String userId, long bytes) {
    Share share = new Share(userId);
    share.growTo(bytes, patienceNanos);
    return share;
  }

  /// What one body takes of the budget until it is closed. Confined to the request's thread, but
  /// for what others do to it when they look for room.
  final class Share implements AutoCloseable {
    private final String userId;
    private final long beganNanos = System.nanoTime();

    // guarded by the lock
    private long takenBytes;
    private long readBytes;
    private boolean isLong;

    private Share(String userId) {
      this.userId = userId;
    }

    /// Notes how much of the body has been read, and takes more where that is more than it has.
    ///
    /// @throws ProblemException 503 where there is no room for it
    void read(long bytes) {
      lock.lock();
      try {
        readBytes = bytes;
        growTo(bytes, 0);
      } finally {
        lock.unlock();
      }
    }

    private void growTo(long bytes, long waitNanos) {
      lock.lock();
      try {
        long leftNanos = waitNanos;
        Limit refused = tryGrowTo(bytes);
        while (refused != null && leftNanos > 0) {
          leftNanos = freed.awaitNanos(leftNanos);
          refused = tryGrowTo(bytes);
        }
        if (refused != null) {
          refused.count().increment();
          throw Unavailable.problem(refused.detail());
        }
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt();
        throw Unavailable.problem("The server is stopping; come again.");
      } finally {
        lock.unlock();
      }
    }

    /// Which limit leaves no room; null where there is some.
    private @Nullable Limit tryGrowTo(long bytes) {
      if (bytes <= takenBytes) {
        return null;
      }
      boolean toBeLong = bytes > LONG_BYTES;
      Limit refused = refusal(bytes, toBeLong);
      if (refused != null && reclaim(this)) {
        refused = refusal(bytes, toBeLong);
      }
      if (refused == null) {
        set(bytes, toBeLong);
        shares.add(this);
      }
      return refused;
    }

    private @Nullable Limit refusal(long bytes, boolean toBeLong) {
      long nodeLimit = toBeLong ? nodeBytes - nodeBytes / 4 : nodeBytes;
      Use own = users.getOrDefault(userId, new Use());
      return !node.hasRoom(this, bytes, toBeLong, nodeLimit)
          ? ofNode
          : !own.hasRoom(this, bytes, toBeLong, nodeBytes / 4) ? ofUser : null;
    }

    private void set(long bytes, boolean toBeLong) {
      Use own = users.computeIfAbsent(userId, _ -> new Use());
      for (Use use : new Use[] {own, node}) {
        use.add(-takenBytes, isLong);
        use.add(bytes, toBeLong);
      }
      takenBytes = bytes;
      isLong = toBeLong;
      if (own.bytes == 0) {
        users.remove(userId);
      }
    }

    @Override
    public void close() {
      lock.lock();
      try {
        set(0, isLong);
        shares.remove(this);
        freed.signalAll();
      } finally {
        lock.unlock();
      }
    }
  }

  /// Takes its gauge from the registry, so that the next service in this process has one.
  @Override
  public void close() {
    meters.remove(inflight);
  }

  /// Takes back what bodies have announced and not sent for a while.
  ///
  /// @return whether that was anything
  private boolean reclaim(Share asking) {
    long now = System.nanoTime();
    boolean isMore = false;
    for (Share share : shares) {
      long neededBytes = Math.max(share.readBytes, Math.min(share.takenBytes, LONG_BYTES));
      if (share != asking
          && now - share.beganNanos > headStartNanos
          && neededBytes < share.takenBytes) {
        share.set(neededBytes, neededBytes > LONG_BYTES);
        isMore = true;
      }
    }
    return isMore;
  }
}
