package dev.replistream.rules;

import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import dev.replistream.json.Json;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.ServiceConfigurationError;
import java.util.ServiceLoader;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// The mutators by name: the application's, in Java, from a {@link MutatorSource} and from {@link
/// RemoteRules}, and the built-in ones. As soon as an application brings its own, the built-in ones
/// are off unless it wants them too, since whoever may write anything can undo what rules have
/// decided. Thread-safe.
public final class MutatorRegistry {
  /// How many characters a name may have; nothing longer can be registered.
  public static final int MAX_NAME_LENGTH = 128;

  private final Map<String, Mutator> own;
  private final Map<String, String> definers; // who has defined each of them
  private final @Nullable MutatorSource source;
  private final @Nullable RemoteRules remote;
  private final Optional<Boolean> wantsBuiltIn;
  private final Map<String, Mutator> builtIn;

  private MutatorRegistry(
      Map<String, Mutator> own,
      Map<String, String> definers,
      @Nullable MutatorSource source,
      @Nullable RemoteRules remote,
      Optional<Boolean> wantsBuiltIn) {
    this.own = Map.copyOf(own);
    this.definers = Map.copyOf(definers);
    this.source = source;
    this.remote = remote;
    this.wantsBuiltIn = wantsBuiltIn;
    builtIn =
        wantsBuiltIn.orElse(own.isEmpty() && source == null && remote == null)
            ? new BuiltInMutators().mutators()
            : Map.of();
  }

  /// The mutators of `applications`.
  ///
  /// @param wantsBuiltIn whether there are the built-in ones too; by default where there are no
  ///   others
  /// @throws MutatorsException when two of them define the same name, or one can't be pushed: it is
  ///   empty or longer than 128 characters
  public static MutatorRegistry of(List<Mutators> applications, Optional<Boolean> wantsBuiltIn) {
    Map<String, Mutator> own = new HashMap<>();
    Map<String, String> definers = new HashMap<>();
    for (Mutators application : applications) {
      String definer = application.getClass().getName();
      application
          .mutators()
          .forEach((name, mutator) -> {
            requirePushable(name, definer);
            String other = definers.put(name, definer);
            if (other != null) {
              throw definedTwice(name, other, definer);
            }
            own.put(name, mutator);
          });
    }
    return new MutatorRegistry(own, definers, null, null, wantsBuiltIn);
  }

  /// The mutators that `java.util.ServiceLoader` finds with the thread's context class loader, and
  /// those of `more`.
  ///
  /// @throws MutatorsException as {@link #of} does, and when a service can't be loaded
  public static MutatorRegistry discover(List<Mutators> more, Optional<Boolean> wantsBuiltIn) {
    List<Mutators> applications = new ArrayList<>();
    try {
      ServiceLoader.load(Mutators.class).forEach(applications::add);
    } catch (ServiceConfigurationError e) {
      throw new MutatorsException("mutators can't be loaded: " + e.getMessage(), e);
    }
    applications.addAll(more);
    return of(applications, wantsBuiltIn);
  }

  /// These, and those of a source, whose names this registry can {@link #requireFree take}.
  public MutatorRegistry with(MutatorSource more) {
    return new MutatorRegistry(own, definers, more, remote, wantsBuiltIn);
  }

  /// These, and rules elsewhere for all names that are neither in Java nor in a source.
  public MutatorRegistry with(RemoteRules more) {
    return new MutatorRegistry(own, definers, source, more, wantsBuiltIn);
  }

  /// Sees to it that names of a source can be pushed, and that none is defined in Java.
  ///
  /// @param definer what the source is called
  /// @throws MutatorsException when that is not so
  public void requireFree(Set<String> names, String definer) {
    for (String name : names) {
      requirePushable(name, definer);
      String other = definers.get(name);
      if (other != null) {
        throw definedTwice(name, other, definer);
      }
    }
  }

  private static MutatorsException definedTwice(String name, String one, String other) {
    return new MutatorsException(
        "the mutator %s is defined twice, by %s and by %s"
            .formatted(Json.quoted(name), one, other));
  }

  /// The mutator that is called `name`; of one that is {@link #isRemote decided elsewhere}, the
  /// built-in one for where there is no rule for it.
  public Optional<Mutator> find(String name) {
    return defined(name).or(() -> Optional.ofNullable(builtIn.get(name)));
  }

  private Optional<Mutator> defined(String name) {
    Optional<Mutator> found = Optional.ofNullable(own.get(name));
    return found.isEmpty() && source != null ? source.find(name) : found;
  }

  /// Whether the mutator that is called `name` is a built-in one.
  public boolean isBuiltIn(String name) {
    return builtIn.containsKey(name) && defined(name).isEmpty();
  }

  /// Whether rules elsewhere are to decide about mutations that are called `name`.
  public boolean isRemote(String name) {
    return remote != null && defined(name).isEmpty();
  }

  /// Asks the rules elsewhere.
  ///
  /// @throws RulesAwayException as {@link RemoteRules#ask} does
  public Answers ask(Question question) {
    return Objects.requireNonNull(remote, "there are no rules elsewhere").ask(question);
  }

  private static void requirePushable(String name, String definer) {
    if (name.isEmpty() || name.length() > MAX_NAME_LENGTH) {
      throw new MutatorsException(
          "%s defines a mutator whose name has not 1 to %s characters"
              .formatted(definer, MAX_NAME_LENGTH));
    }
  }
}
