package dev.replistream.http.wire;

import static java.util.Objects.requireNonNull;

import dev.replistream.http.ClientAddresses;
import dev.replistream.http.SampledLog;
import dev.replistream.json.Json;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.Gauge;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.Tag;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetAddress;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/// The open connections of a listener, and who of them goes when there are too many: always one
/// that keeps this server waiting, never one that waits for it, and no stream.
///
/// A stranger is a connection that has not carried an authenticated request yet. Each address may
/// have so many of them; for one more, those go that have been silent the longest. The newcomer
/// could be refused instead, but then whoever holds an address's connections in silence would shut
/// out all who share that address; so they have to win a race against each request. A connection
/// that was authenticated once counts no more, and neither does one of a trusted proxy: what many
/// have in common has no limit.
///
/// Where the listener has too many altogether, strangers go first, then idle connections.
///
/// Thread-safe.
public final class Crowd implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Crowd.class.getName());

  /// What an idle connection takes of the heap, with the beginning of a head.
  private static final int BYTES_A_CONNECTION = 32 << 10;

  private static final int SHARE_OF_HEAP = 4;
  private static final int FEWEST_REQUESTS = 256;

  /// Enough for probes, scrapers and a person.
  private static final int ADMIN_CONNECTIONS = 64;

  /// So much above its limit an address may be while all its connections are being served.
  private static final int BURST = 4;

  /// So many go at once, of all: to look for them takes longer than to close them.
  private static final int PART = 16;

  /// What both listeners and the files that a request may need can use at once.
  private static final int LEAST_DESCRIPTORS = 8;

  /// A client that has just connected is not silent yet, and may have sent what is not read yet.
  private static final long SILENT_NANOS = Duration.ofMillis(100).toNanos();

  private final String listener;
  private final Limits limits;
  private final ClientAddresses addresses;
  private final MeterRegistry registry;
  private final Set<Wire> open = ConcurrentHashMap.newKeySet();
  private final AtomicInteger arriving = new AtomicInteger();
  private final AtomicInteger taken = new AtomicInteger();
  private final Map<InetAddress, Strangers> strangers = new ConcurrentHashMap<>();
  private final ReentrantLock looking = new ReentrantLock();
  private final Map<Reason, Counter> closed = new EnumMap<>(Reason.class);
  private final Counter failures;
  private final Gauge<Integer> size;
  private final SampledLog log = new SampledLog(LOGGER);

  /// Those of one address. Changed and read within the map's compute.
  static final class Strangers {
    final List<Wire> wires = new ArrayList<>(1);
    // when all of them were looked at last and none was silent
    private long servedNanos;

    /// @param nowNanos the time
    Strangers(long nowNanos) {
      servedNanos = nowNanos - SILENT_NANOS;
    }

    /// Those that should go. To look at all takes a call of the system for each: while all are
    /// being served, newcomers don't look again before one can have become silent.
    ///
    /// @param nowNanos the time
    /// @param count how many at most
    /// @param look finds them
    List<Wire> silent(long nowNanos, int count, Look look) {
      if (nowNanos - servedNanos < SILENT_NANOS) {
        return List.of();
      }
      List<Wire> silent = look.silent(wires, count);
      if (silent.isEmpty()) {
        servedNanos = nowNanos;
      }
      return silent;
    }
  }

  /// A look at some connections, of which it finds the first that should go.
  @FunctionalInterface
  interface Look {
    List<Wire> silent(Collection<Wire> wires, int count);
  }

  /// How many connections a listener may have.
  ///
  /// @param strangersPerAddress of one address, those that were not authenticated yet
  /// @param requests those that are no streams
  /// @param connections all
  public record Limits(int strangersPerAddress, int requests, int connections) {
    /// As many as there are.
    public static final Limits NONE =
        new Limits(Integer.MAX_VALUE, Integer.MAX_VALUE, Integer.MAX_VALUE);

    /// What the API's listener can hold with this process's heap and file descriptors.
    ///
    /// @param strangersPerAddress 0 for any number
    public static Limits ofApi(int strangersPerAddress) {
      long requests = Runtime.getRuntime().maxMemory() / SHARE_OF_HEAP / BYTES_A_CONNECTION;
      return new Limits(
          strangersPerAddress == 0 ? Integer.MAX_VALUE : strangersPerAddress,
          Math.clamp(requests, FEWEST_REQUESTS, Integer.MAX_VALUE),
          FileDescriptors.fullAt());
    }

    /// What the operator's listener holds.
    public static Limits ofAdmin() {
      return new Limits(Integer.MAX_VALUE, ADMIN_CONNECTIONS, ADMIN_CONNECTIONS);
    }
  }

  /// Why a connection is closed that did no wrong.
  enum Reason {
    /// Its address has too many that were not authenticated.
    ADDRESS,
    /// The listener has too many.
    LISTENER,
    /// The process has no descriptor left.
    DESCRIPTORS;

    String label() {
      return name().toLowerCase(Locale.ROOT);
    }
  }

  /// Nobody is there yet.
  ///
  /// @param listener its name in metrics and the log
  /// @param addresses says who is a trusted proxy
  public Crowd(String listener, Limits limits, ClientAddresses addresses, MeterRegistry registry) {
    this.listener = listener;
    this.limits = limits;
    this.addresses = addresses;
    this.registry = registry;
    Tag tag = Tag.create("listener", listener);
    size =
        registry.getOrCreate(
            Gauge.builder("replistream_tcp_open", open::size)
                .description("TCP connections open now, streams among them")
                .tags(List.of(tag)));
    failures =
        registry.getOrCreate(
            Counter.builder("replistream_accept_failures")
                .description("Connections that could not be accepted at once")
                .tags(List.of(tag)));
    for (Reason reason : Reason.values()) {
      closed.put(
          reason,
          registry.getOrCreate(
              Counter.builder("replistream_tcp_shed")
                  .description("TCP connections that were closed to make room, by limit")
                  .tags(List.of(tag, Tag.create("limit", reason.label())))));
    }
  }

  /// Notes that a connection was accepted, which will enter when its thread runs.
  void accepted() {
    arriving.incrementAndGet();
  }

  /// Takes in a connection that was accepted.
  ///
  /// @return whether there is room; if not, it is to be closed
  boolean enter(Wire wire) {
    arriving.updateAndGet(count -> Math.max(0, count - 1));
    if (open.size() - taken.get() >= 2L * limits.requests) {
      count(Reason.LISTENER, 1, null);
      return false;
    }
    InetAddress peer = wire.remoteAddress();
    if (!addresses.isTrustedProxy(peer) && !enter(wire, ClientAddresses.counted(peer))) {
      count(Reason.ADDRESS, 1, peer);
      return false;
    }
    open.add(wire);
    return true;
  }

  private boolean enter(Wire wire, InetAddress address) {
    List<Wire> leaving = new ArrayList<>(0);
    strangers.compute(
        address,
        (_, present) -> {
          long now = System.nanoTime();
          Strangers all = present == null ? new Strangers(now) : present;
          int limit = limits.strangersPerAddress;
          if (all.wires.size() >= limit) {
            leaving.addAll(all.silent(now, all.wires.size() - limit + part(limit), Crowd::silent));
            all.wires.removeAll(leaving);
          }
          if (all.wires.size() < (long) BURST * limit) {
            all.wires.add(wire);
            wire.strangerOf(address);
          }
          return all;
        });
    leaving.forEach(Wire::abort);
    count(Reason.ADDRESS, leaving.size(), address);
    return wire.isStranger();
  }

  /// Notes that `wire` has carried an authenticated request.
  void authenticated(Wire wire, InetAddress address) {
    strangers.computeIfPresent(
        address,
        (_, all) -> {
          all.wires.remove(wire);
          return all.wires.isEmpty() ? null : all;
        });
  }

  /// Notes that `wire` carries a stream from now on.
  void taken() {
    taken.incrementAndGet();
  }

  /// Notes that a stream has ended.
  void released() {
    taken.decrementAndGet();
  }

  void leave(Wire wire) {
    open.remove(wire);
  }

  /// All that are open.
  Collection<Wire> all() {
    return open;
  }

  /// Whether it is better to accept no more.
  boolean isFull() {
    int all = open.size() + arriving.get();
    return all >= limits.connections || all - taken.get() >= limits.requests;
  }

  /// Closes some connections where there are too many.
  void makeRoom() {
    if (isFull()) {
      shed(Reason.LISTENER, 1);
    }
  }

  /// Closes some connections because the next one could not be accepted: most likely the process
  /// has no descriptor left.
  void acceptFailed(IOException failure) {
    failures.increment();
    log.log(
        Level.WARNING,
        "accept",
        () ->
            "event=accept-failed listener="
                + listener
                + " reason="
                + Json.quoted("" + failure.getMessage()));
    shed(Reason.DESCRIPTORS, LEAST_DESCRIPTORS);
  }

  private void shed(Reason reason, int least) {
    if (!looking.tryLock()) {
      return; // another thread is at it
    }
    try {
      List<Wire> leaving =
          silent(open, Math.max(least, part(Math.min(open.size(), limits.requests))));
      leaving.forEach(Wire::abort);
      count(reason, leaving.size(), null);
    } finally {
      looking.unlock();
    }
  }

  private static int part(int of) {
    return Math.max(1, of / PART);
  }

  private record Silent(Wire wire, boolean isStranger, long nanos) {}

  /// Of `wires` the first that should go, and at most `count`.
  private static List<Wire> silent(Collection<Wire> wires, int count) {
    long now = System.nanoTime();
    List<Silent> silent = new ArrayList<>();
    for (Wire wire : wires) {
      long nanos = wire.silentNanos(now);
      if (nanos >= SILENT_NANOS) {
        silent.add(new Silent(wire, wire.isStranger(), nanos));
      }
    }
    return silent.stream()
        .sorted(
            Comparator.comparing(Silent::isStranger).thenComparingLong(Silent::nanos).reversed())
        .map(Silent::wire)
        .filter(wire -> !wire.hasUnread())
        .limit(count)
        .toList();
  }

  private void count(Reason reason, int wires, @Nullable InetAddress address) {
    if (wires == 0) {
      return;
    }
    requireNonNull(closed.get(reason)).increment(wires);
    log.log(
        Level.INFO,
        reason.label(),
        () ->
            "event=connections-shed listener="
                + listener
                + " limit="
                + reason.label()
                + " closed="
                + wires
                + (address == null ? "" : " address=" + address.getHostAddress()));
  }

  /// Takes the gauge out of the registry.
  @Override
  public void close() {
    registry.remove(size);
  }
}
