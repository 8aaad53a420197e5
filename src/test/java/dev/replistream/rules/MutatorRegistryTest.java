package dev.replistream.rules;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.Mutator;
import dev.replistream.api.Mutators;
import java.io.IOException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class MutatorRegistryTest {
  private static final Mutator NOTHING = (_, _) -> {};

  /// Found by the service loader.
  public static final class Found implements Mutators {
    @Override
    public Map<String, Mutator> mutators() {
      return Map.of("found", NOTHING);
    }
  }

  /// Found by the service loader, and of no use.
  public static final class Broken implements Mutators {
    public Broken() {
      throw new IllegalStateException("no such file");
    }

    @Override
    public Map<String, Mutator> mutators() {
      return Map.of();
    }
  }

  private static Mutators defining(String... names) {
    return () -> {
      Map<String, Mutator> mutators = new HashMap<>();
      for (String name : names) {
        mutators.put(name, NOTHING);
      }
      return mutators;
    };
  }

  private static MutatorRegistry discover(Path directory, String service, List<Mutators> more)
      throws IOException {
    Path services = Files.createDirectories(directory.resolve("META-INF/services"));
    Files.writeString(services.resolve(Mutators.class.getName()), service);
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (URLClassLoader loader =
        new URLClassLoader(new URL[] {directory.toUri().toURL()}, before)) {
      thread.setContextClassLoader(loader);
      return MutatorRegistry.discover(more, Optional.of(true));
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void theBuiltInMutatorsAreThere() {
    MutatorRegistry registry = MutatorRegistry.of(List.of(), Optional.of(true));

    assertThat(registry.find("put")).isPresent();
    assertThat(registry.find("patch")).isPresent();
    assertThat(registry.find("del")).isPresent();
    assertThat(registry.find("createTodo")).isEmpty();
  }

  @Test
  void theApplicationsMutatorsJoinThem() {
    MutatorRegistry registry =
        MutatorRegistry.of(List.of(defining("a"), defining("b", "c")), Optional.of(true));

    assertThat(registry.find("put")).isPresent();
    assertThat(registry.find("a")).contains(NOTHING);
    assertThat(registry.find("c")).contains(NOTHING);
  }

  @Test
  void theApplicationsMutatorReplacesABuiltInOne() {
    assertThat(MutatorRegistry.of(List.of(defining("put")), Optional.of(true)).find("put"))
        .contains(NOTHING);
  }

  /// A source that has one mutator.
  private record Source(String name) implements MutatorSource {
    @Override
    public Optional<Mutator> find(String sought) {
      return sought.equals(name) ? Optional.of(NOTHING) : Optional.empty();
    }

    @Override
    public Optional<String> staleness() {
      return Optional.empty();
    }

    @Override
    public void close() {
      // holds nothing
    }
  }

  @Test
  void besideMutatorsOfAnApplicationTheBuiltInOnesAreOffUnlessTheyAreWanted() {
    MutatorRegistry none = MutatorRegistry.of(List.of(), Optional.empty());
    MutatorRegistry java = MutatorRegistry.of(List.of(defining("a")), Optional.empty());
    MutatorRegistry wanted = MutatorRegistry.of(List.of(defining("a")), Optional.of(true));

    assertThat(none.find("put")).isPresent();
    assertThat(java.find("put")).isEmpty();
    assertThat(none.with(new Source("b")).find("put")).isEmpty();
    assertThat(none.with(new Source("b")).find("b")).contains(NOTHING);
    assertThat(wanted.with(new Source("b")).find("put")).isPresent();
    assertThat(MutatorRegistry.of(List.of(), Optional.of(false)).find("put")).isEmpty();
  }

  @Test
  void aNameOfASourceIsFreeAndCanBePushed() {
    MutatorRegistry registry = MutatorRegistry.of(List.of(defining("a")), Optional.empty());

    registry.requireFree(Set.of("b", "put"), "mutators.js");
    assertThatThrownBy(() -> registry.requireFree(Set.of("b", "a"), "mutators.js"))
        .isInstanceOf(MutatorsException.class)
        .hasMessageStartingWith("the mutator \"a\" is defined twice, by ")
        .hasMessageEndingWith(" and by mutators.js");
    assertThatThrownBy(() -> registry.requireFree(Set.of("n".repeat(129)), "mutators.js"))
        .isInstanceOf(MutatorsException.class)
        .hasMessage("mutators.js defines a mutator whose name has not 1 to 128 characters");
  }

  @Test
  void aNameThatIsDefinedTwiceStopsTheStart() {
    assertThatThrownBy(() ->
            MutatorRegistry.of(List.of(new Found(), defining("x", "found")), Optional.of(true)))
        .isInstanceOf(MutatorsException.class)
        .hasMessageStartingWith(
            "the mutator \"found\" is defined twice, by " + Found.class.getName() + " and by ");
  }

  @ParameterizedTest
  @ValueSource(ints = {0, 129})
  void aNameThatCantBePushedStopsTheStart(int length) {
    assertThatThrownBy(
            () -> MutatorRegistry.of(List.of(defining("n".repeat(length))), Optional.of(true)))
        .isInstanceOf(MutatorsException.class)
        .hasMessageContaining("1 to 128 characters");
  }

  @Test
  void aNameOf128CharactersIsFine() {
    String name = "n".repeat(128);

    assertThat(MutatorRegistry.of(List.of(defining(name)), Optional.of(true)).find(name))
        .isPresent();
  }

  @Test
  void servicesAreFoundAndJoinedByThoseThatAreGiven(@TempDir Path directory) throws IOException {
    MutatorRegistry registry =
        discover(directory, Found.class.getName(), List.of(defining("given", "del")));

    assertThat(registry.find("found")).contains(NOTHING);
    assertThat(registry.find("given")).contains(NOTHING);
    assertThat(registry.find("del")).contains(NOTHING);
    assertThat(registry.find("put")).isPresent();
  }

  @Test
  void aServiceAndAGivenOneMayNotDefineTheSame(@TempDir Path directory) {
    assertThatThrownBy(() -> discover(directory, Found.class.getName(), List.of(defining("found"))))
        .isInstanceOf(MutatorsException.class)
        .hasMessageContaining("\"found\" is defined twice");
  }

  @Test
  void aServiceThatCantBeLoadedStopsTheStart(@TempDir Path directory) {
    assertThatThrownBy(() -> discover(directory, Broken.class.getName(), List.of()))
        .isInstanceOf(MutatorsException.class)
        .hasMessageStartingWith("mutators can't be loaded: ")
        .hasMessageContaining(Broken.class.getName());
    assertThatThrownBy(() -> discover(directory, "no.such.Service", List.of()))
        .isInstanceOf(MutatorsException.class)
        .hasMessageContaining("no.such.Service");
  }

  @Test
  void rulesElsewhereDecideAboutAllNamesThatAreNotDefinedHere() {
    RemoteRules remote =
        _ -> {
          throw new RulesAwayException("none");
        };
    MutatorRegistry java = MutatorRegistry.of(List.of(defining("a")), Optional.empty());
    MutatorRegistry registry = java.with(remote);

    assertThat(registry.isRemote("a")).isFalse();
    assertThat(registry.isRemote("b")).isTrue();
    assertThat(java.isRemote("b")).isFalse();
  }

  @Test
  void rulesElsewhereAreOnesOfTheApplicationSoTheBuiltInOnesAreOff() {
    RemoteRules remote =
        _ -> {
          throw new RulesAwayException("none");
        };

    assertThat(MutatorRegistry.of(List.of(), Optional.empty()).with(remote).find("put")).isEmpty();
    MutatorRegistry wanted = MutatorRegistry.of(List.of(), Optional.of(true)).with(remote);
    assertThat(wanted.find("put")).isPresent();
    assertThat(wanted.isRemote("put")).isTrue();
  }
}
