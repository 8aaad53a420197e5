package dev.replistream.db;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Where SQLite's native library comes from, each time in a process of its own.
class SqliteLibraryTest {
  @TempDir private Path dir;

  /// Loads the library for a database in the directory of its argument, and prints from where.
  public static final class Loader {
    private Loader() {}

    public static void main(String[] args) throws IOException {
      SqliteLibrary.load(Path.of(args[0]));
      for (String line : Files.readAllLines(Path.of("/proc/self/maps"))) {
        if (line.contains("sqlitejdbc") && line.contains("r-xp")) {
          System.out.println(line.substring(line.indexOf('/')));
        }
      }
    }
  }

  private Process start(Path home) throws IOException {
    Path temporary = Files.createDirectories(dir.resolve("tmp"));
    return new ProcessBuilder(
            Path.of(System.getProperty("java.home"), "bin", "java").toString(),
            "--enable-native-access=ALL-UNNAMED",
            "-XX:TieredStopAtLevel=1",
            "-XX:-UsePerfData",
            "-Djava.io.tmpdir=" + temporary,
            "-cp",
            System.getProperty("java.class.path"),
            Loader.class.getName(),
            home.toString())
        .redirectError(ProcessBuilder.Redirect.INHERIT)
        .start();
  }

  private static Path loadedBy(Process process) throws Exception {
    String printed =
        new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8).strip();
    assertThat(process.waitFor(30, TimeUnit.SECONDS)).isTrue();
    assertThat(process.exitValue()).isZero();
    assertThat(printed).isNotEmpty();
    return Path.of(printed);
  }

  private Path home(String mode) throws IOException {
    Path home = Files.createDirectory(dir.resolve("home"));
    return Files.setPosixFilePermissions(home, PosixFilePermissions.fromString(mode));
  }

  private static List<Path> filesIn(Path directory) throws IOException {
    try (Stream<Path> files = Files.list(directory)) {
      return files.toList();
    }
  }

  @Test
  void itStandsBesideTheDatabaseForItsOwnerAlone() throws Exception {
    Path home = home("rwxr-xr-x");

    Path library = loadedBy(start(home));

    assertThat(library.getParent()).isEqualTo(home.resolve("sqlite-native"));
    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(library.getParent())))
        .isEqualTo("rwx------");
    assertThat(filesIn(home.resolve("sqlite-native"))).containsExactly(library);
  }

  @Test
  void oneThatWasChangedIsReplacedAndWhatIsOldIsRemoved() throws Exception {
    Path home = home("rwx------");
    Path library = loadedBy(start(home));
    byte[] content = Files.readAllBytes(library);
    byte[] changed = content.clone();
    changed[content.length / 2] ^= 1;
    Files.write(library, changed);
    Path draft = Files.createFile(library.resolveSibling("draft123.tmp"));
    Files.setLastModifiedTime(draft, FileTime.from(Instant.now().minusSeconds(3600)));

    assertThat(loadedBy(start(home))).isEqualTo(library);

    assertThat(library).hasBinaryContent(content);
    assertThat(filesIn(home.resolve("sqlite-native"))).containsExactly(library);
  }

  @Test
  void processesThatStartAtOnceShareIt() throws Exception {
    Path home = home("rwx------");
    List<Process> processes = new ArrayList<>();
    for (int i = 0; i < 3; i++) {
      processes.add(start(home));
    }

    Path library = loadedBy(processes.removeFirst());

    for (Process process : processes) {
      assertThat(loadedBy(process)).isEqualTo(library);
    }
    assertThat(filesIn(home.resolve("sqlite-native"))).containsExactly(library);
  }

  @Test
  void whereOthersMayWriteNothingIsLoadedFrom() throws Exception {
    Path home = home("rwxrwxrwx");
    Files.createDirectory(home.resolve("sqlite-native"));

    Path library = loadedBy(start(home));

    assertThat(library).startsWithRaw(dir.resolve("tmp"));
    assertThat(filesIn(home.resolve("sqlite-native"))).isEmpty();
    assertThat(filesIn(dir.resolve("tmp"))).as("a clean end takes it away").isEmpty();
  }

  @Test
  void aLinkThatSomebodyPutThereIsNotFollowed() throws Exception {
    Path home = home("rwx------");
    Path elsewhere = Files.createDirectory(dir.resolve("elsewhere"));
    Files.createSymbolicLink(home.resolve("sqlite-native"), elsewhere);

    assertThat(loadedBy(start(home))).startsWithRaw(dir.resolve("tmp"));

    assertThat(filesIn(elsewhere)).isEmpty();
  }
}
