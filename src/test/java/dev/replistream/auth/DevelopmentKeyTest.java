package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DevelopmentKeyTest {
  @TempDir private Path dir;

  @Test
  void theKeyIsMadeOnceAndKept() throws IOException {
    Path dataDir = dir.resolve("not/yet/there");

    String key = DevelopmentKey.loadOrCreate(dataDir);

    assertThat(key).matches("[A-Za-z0-9_-]{43}");
    assertThat(DevelopmentKey.loadOrCreate(dataDir)).isEqualTo(key);
    assertThat(DevelopmentKey.loadOrCreate(dir)).isNotEqualTo(key);
    Path file = dataDir.resolve("development.key");
    assertThat(file).hasContent(key);
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    try (Stream<Path> files = Files.list(dataDir)) {
      assertThat(files).containsExactly(file);
    }
  }

  @Test
  void allWhoStartAtOnceGetTheSameKey() throws Exception {
    int threads = 8;
    CyclicBarrier start = new CyclicBarrier(threads);
    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      for (int round = 0; round < 50; round++) {
        Path dataDir = dir.resolve("round-" + round);
        List<Future<String>> keys = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
          keys.add(
              executor.submit(() -> {
                start.await(10, TimeUnit.SECONDS);
                return DevelopmentKey.loadOrCreate(dataDir);
              }));
        }
        String first = keys.getFirst().get(10, TimeUnit.SECONDS);
        for (Future<String> key : keys) {
          assertThat(key.get(10, TimeUnit.SECONDS)).isEqualTo(first);
        }
        assertThat(dataDir.resolve("development.key")).hasContent(first);
      }
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "\n",
        "short",
        "\u0000\u00ff\u00fe",
        "a key with spaces in it, of the right length"
      })
  void aDamagedKeyStopsTheStart(String content) throws IOException {
    Path file = dir.resolve("development.key");
    Files.write(file, content.getBytes(StandardCharsets.ISO_8859_1));

    assertThatThrownBy(() -> DevelopmentKey.loadOrCreate(dir))
        .isInstanceOf(KeysException.class)
        .hasMessage("replistream.data-dir: %s is damaged; remove it, and a new key is made", file);
    assertThat(file).hasBinaryContent(content.getBytes(StandardCharsets.ISO_8859_1));
  }

  @Test
  void aKeyThatIsTooLongIsDamaged() throws IOException {
    Files.writeString(dir.resolve("development.key"), "A".repeat(44));

    assertThatThrownBy(() -> DevelopmentKey.loadOrCreate(dir))
        .isInstanceOf(KeysException.class)
        .hasMessageContaining("damaged");
  }

  @Test
  void aPlaceThatCanNotBeWrittenStopsTheStart() throws IOException {
    Path file = Files.writeString(dir.resolve("file"), "");

    assertThatThrownBy(() -> DevelopmentKey.loadOrCreate(file))
        .isInstanceOf(KeysException.class)
        .hasMessage(
            "replistream.data-dir: can't read or make the development key in %s",
            file.resolve("development.key"));
  }

  @Test
  void aDirectoryInItsPlaceStopsTheStart() throws IOException {
    Files.createDirectory(dir.resolve("development.key"));

    assertThatThrownBy(() -> DevelopmentKey.loadOrCreate(dir)).isInstanceOf(KeysException.class);
  }
}
