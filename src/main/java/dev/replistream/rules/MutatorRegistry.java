package dev.replistream.rules;

import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.json.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;

/// The mutators by name: the built-in ones, replaced and extended by the application's. Immutable
/// and thread-safe.
public final class MutatorRegistry {
  /// How many characters a name may have; nothing longer can be registered.
  public static final int MAX_NAME_LENGTH = 128;

  private final Map<String, Mutator> mutators;
  private final Set<String> builtIn;

  private MutatorRegistry(Map<String, Mutator> mutators, Set<String> builtIn) {
    this.mutators = Map.copyOf(mutators);
    this.builtIn = Set.copyOf(builtIn);
  }

  /// The built-in mutators and those of `applications`.
  ///
  /// @throws MutatorsException when two of them define the same name, or one can't be pushed: it is
  ///   empty or longer than 128 characters
  public static MutatorRegistry of(List<Mutators> applications) {
    Map<String, Mutator> ownMutators = new BuiltInMutators().mutators();
    Map<String, Mutator> all = new HashMap<>(ownMutators);
    Map<String, Mutators> definers = new HashMap<>();
    for (Mutators application : applications) {
      application
          .mutators()
          .forEach((name, mutator) -> {
            requirePushable(name, application);
            Mutators other = definers.put(name, application);
            if (other != null) {
              throw new MutatorsException(
                  "the mutator %s is defined twice, by %s and by %s"
                      .formatted(Json.quoted(name), nameOf(other), nameOf(application)));
            }
            all.put(name, mutator);
          });
    }
    Set<String> builtIn = new HashSet<>(ownMutators.keySet());
    builtIn.removeAll(definers.keySet());
    return new MutatorRegistry(all, builtIn);
  }

  /// The built-in mutators, those that `java.util.ServiceLoader` finds with the thread's context
  /// class loader, and those of `more`.
  ///
  /// @throws MutatorsException as {@link #of} does, and when a service can't be loaded
  public static MutatorRegistry discover(List<Mutators> more) {
    List<Mutators> applications = new ArrayList<>();
    try {
      ServiceLoader.load(Mutators.class).forEach(applications::add);
    } catch (ServiceConfigurationError e) {
      throw new MutatorsException("mutators can't be loaded: " + e.getMessage(), e);
    }
    applications.addAll(more);
    return of(applications);
  }

  /// The mutator that is called `name`.
  public Optional<Mutator> find(String name) {
    return Optional.ofNullable(mutators.get(name));
  }

  /// Whether the mutator that is called `name` is a built-in one.
  public boolean isBuiltIn(String name) {
    return builtIn.contains(name);
  }

  private static void requirePushable(String name, Mutators application) {
    if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
      throw new MutatorsException(
          "%s defines a mutator whose name has not 1 to %s characters"
              .formatted(nameOf(application), MAX_NAME_LENGTH));
    }
  }

  private static String nameOf(Mutators application) {
    return application.getClass().getName();
  }
}
