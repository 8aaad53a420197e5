package dev.replistream.poke;

import dev.replistream.nodes.Nodes;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;

/// The streams of one node, which record what is brought to them.
public final class RecordingStreams implements PokeBus.Subscriber, Nodes.LocalUsers {
  /// Since when all their users are present.
  public static final Instant SINCE = Instant.ofEpochMilli(1_700_000_000_000L);

  private final Nodes nodes;
  private final Map<String, Integer> counts = new ConcurrentHashMap<>();
  private final List<Poke> delivered = new CopyOnWriteArrayList<>();
  private final List<Duration> delays = new CopyOnWriteArrayList<>();

  public RecordingStreams(PokeBus bus, Nodes nodes) {
    this.nodes = nodes;
    bus.subscribe(this);
    nodes.register(this);
  }

  /// Registers a stream as the manager does.
  public boolean open(String userId) {
    int nth = counts.merge(userId, 1, Integer::sum);
    boolean mayJoin = nodes.join(userId, nth);
    if (!mayJoin) {
      close(userId);
    }
    return mayJoin;
  }

  /// Ends a stream.
  public void close(String userId) {
    counts.computeIfPresent(userId, (_, count) -> count == 1 ? null : count - 1);
    nodes.left(userId);
  }

  /// The pokes of a user that came, in their order.
  public List<Poke> delivered(String userId) {
    return delivered.stream().filter(poke -> poke.userId().equals(userId)).toList();
  }

  /// After how long each was to be delivered.
  List<Duration> delays() {
    return new ArrayList<>(delays);
  }

  @Override
  public int connections(String userId) {
    return counts.getOrDefault(userId, 0);
  }

  @Override
  public int connections() {
    return counts.values().stream().mapToInt(Integer::intValue).sum();
  }

  @Override
  public List<String> users() {
    return List.copyOf(counts.keySet());
  }

  @Override
  public long presentSinceMillis(String userId) {
    return counts.containsKey(userId) ? SINCE.toEpochMilli() : -1;
  }

  @Override
  public int deliver(Poke poke) {
    deliverAfter(Duration.ZERO, poke);
    return connections(poke.userId());
  }

  @Override
  public void deliverAfter(Duration delay, Poke poke) {
    if (connections(poke.userId()) > 0) {
      delays.add(delay);
      delivered.add(poke);
    }
  }
}
