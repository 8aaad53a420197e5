package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.auth.Caller;
import dev.replistream.poke.Cursor;
import dev.replistream.poke.LocalPokeBus;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.Spread;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/// Pokes of rooms with many connections, which nobody serves: what is told stays pending on them.
class BigRoomTest {
  private static final MeterRegistry METERS = Services.get(MetricsFactory.class).globalRegistry();
  private static final StreamSettings SETTINGS =
      new StreamSettings(
          Duration.ofHours(1),
          Duration.ofSeconds(2),
          Duration.ofSeconds(10),
          Duration.ZERO,
          100_000,
          99);

  private final StreamMetrics metrics = new StreamMetrics(METERS);
  private final PokeBus bus = new LocalPokeBus(new Cursor("e", 100_000), METERS);
  private final SseManager manager = MemoryService.manager(SETTINGS, bus, metrics);

  private final Set<String> members = new HashSet<>();
  private final List<Connection> pushers = new ArrayList<>();
  private final List<Connection> others = new ArrayList<>();

  @AfterEach
  void close() {
    manager.close();
    metrics.close();
  }

  private Connection connect(String userId) {
    members.add(userId);
    Caller caller =
        new Caller(userId, Set.of(), Instant.now().plusSeconds(3_600), Caller.Credential.HEADER);
    Connection connection = new Connection(caller, Transport.SSE, "a test", Duration.ofHours(1));
    assertThat(manager.register(connection)).isEqualTo(SseManager.Admission.ADMITTED);
    return connection;
  }

  private void connect(int connections) {
    pushers.add(connect("pusher"));
    pushers.add(connect("pusher"));
    for (int i = 0; i < connections; i++) {
      others.add(connect("user" + i / 2));
    }
    members.add("nobody");
  }

  private int poke() {
    return bus.poke(members, "pusher", PokeBus.Source.ROOM);
  }

  /// Takes the syncs that are pending.
  private static int take(List<Connection> connections) {
    int taken = 0;
    for (Connection connection : connections) {
      taken += connection.takeSync() == null ? 0 : 1;
    }
    return taken;
  }

  @Test
  void aSmallRoomIsToldAtOnce() {
    connect(100);

    assertThat(poke()).isEqualTo(102);

    assertThat(take(pushers)).isEqualTo(2);
    assertThat(take(others)).isEqualTo(100);
  }

  @Test
  void aBigRoomIsToldOverTheWindowAndThePusherAtOnce() {
    int connections = 1_500;
    connect(connections);
    Duration window = Spread.window(connections);
    long begin = System.nanoTime();

    assertThat(poke()).isEqualTo(connections + 2);

    assertThat(take(pushers)).isEqualTo(2);
    List<Integer> told = new ArrayList<>(List.of(0));
    Eventually.holds(
        "all are told",
        () -> {
          int now = told.getLast() + take(others);
          long elapsed = System.nanoTime() - begin;
          assertThat(now)
              .as("after %s", Duration.ofNanos(elapsed))
              .isLessThanOrEqualTo((int) (connections * elapsed / window.toNanos()) + 2);
          told.add(now);
          return now == connections;
        });
    assertThat(Duration.ofNanos(System.nanoTime() - begin))
        .isGreaterThan(window.multipliedBy(9).dividedBy(10));
    assertThat(take(pushers)).isZero();
  }

  @Test
  void whoComesBackWhileItsTurnIsStillToComeIsToldAtOnce() {
    connect(10_000);
    String before = "e-0";

    poke();

    SseManager.Resume resume = manager.resume("user4999", before);
    assertThat(resume.catchUp()).isNotNull();
    assertThat(resume.toldStamp()).isEqualTo(bus.latest("user4999").stamp());
  }

  @Test
  void aLaterPokeOfAUserAloneIsNotDelayedByOneThatWaits() {
    connect(10_000);
    poke();
    take(others);

    int notified = bus.poke("user7", PokeBus.Source.SELF);

    assertThat(notified).isEqualTo(2);
    assertThat(take(others.subList(14, 16))).isEqualTo(2);
  }

  @Test
  void whatWaitsIsToldBeforeADrainEndsItsConnection() throws InterruptedException {
    connect(10_000);
    poke();
    int already = take(others);

    manager.drain(Duration.ZERO);

    assertThat(already).isLessThan(5_000);
    assertThat(already + take(others)).isEqualTo(10_000);
    assertThat(others).allMatch(connection -> connection.reason() == CloseReason.DRAINED);
  }

  @Test
  void pokesInQuickSuccessionWaitOnceForEachUser() {
    connect(1_000);
    for (int i = 0; i < 200; i++) {
      poke();
    }
    List<Long> stamps = new ArrayList<>();
    long latest = bus.latest("user3").stamp();

    Eventually.holds(
        "the last one is told",
        () -> {
          SyncEvent sync = others.get(6).takeSync();
          if (sync != null) {
            stamps.add(sync.stamp());
          }
          return !stamps.isEmpty() && stamps.getLast() == latest;
        });

    assertThat(stamps.size()).isLessThan(20);
  }
}
