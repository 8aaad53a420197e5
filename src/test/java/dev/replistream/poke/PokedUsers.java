package dev.replistream.poke;

import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;

/// A bus on which every user has one stream, and which remembers who was poked. Thread-safe.
public final class PokedUsers implements PokeBus.Subscriber {
  private final List<String> poked = new CopyOnWriteArrayList<>();
  private final PokeBus bus =
      new LocalPokeBus(new Cursor("e", 100), Services.get(MetricsFactory.class).globalRegistry());

  private volatile Runnable whilePoking = () -> {};

  /// Nobody yet.
  public PokedUsers() {
    bus.subscribe(this);
  }

  /// The bus to poke them by.
  public PokeBus bus() {
    return bus;
  }

  /// Who was poked, in this order, since {@link #clear}.
  public List<String> poked() {
    return List.copyOf(poked);
  }

  /// Forgets who was poked.
  public void clear() {
    poked.clear();
  }

  @Override
  public int connections(String userId) {
    return 1;
  }

  /// What happens before each user is poked.
  public void whilePoking(Runnable action) {
    whilePoking = action;
  }

  @Override
  public int deliver(Poke poke) {
    whilePoking.run();
    poked.add(poke.userId());
    return 1;
  }

  @Override
  public void deliverAfter(Duration delay, Poke poke) {
    deliver(poke);
  }
}
