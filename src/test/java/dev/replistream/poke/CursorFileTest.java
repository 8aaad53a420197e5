package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.LogCapture;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.Arrays;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// What a cursor is after a stop and a start, when its file is as it should be and when it is not.
class CursorFileTest {
  private static final String MARK = "the database's mark";

  @TempDir private Path directory;

  private final Cursor before = new Cursor("7f3a", 3);
  private Path file = Path.of("");
  private CursorFile cursorFile = new CursorFile(file);

  @BeforeEach
  void pokeSome() {
    file = directory.resolve("cursor");
    cursorFile = new CursorFile(directory);
    IntStream.range(0, 10).forEach(i -> before.stamp("user-" + i));
    before.stamp("日本語 \uD83D\uDE00 \uD800"); // half a pair, as no token but Java code may name
    before.stamp("x".repeat(128));
  }

  private Cursor taken() {
    return cursorFile.take(MARK, 3);
  }

  private void assertKept(Cursor cursor) {
    assertThat(cursor.epoch()).isEqualTo("7f3a");
    Stream.concat(
            IntStream.range(0, 12).mapToObj(i -> "user-" + i),
            Stream.of("日本語 \uD83D\uDE00 \uD800", "日本語 \uD83D\uDE00 ?", "x".repeat(128)))
        .forEach(user -> assertThat(cursor.latest(user)).as(user).isEqualTo(before.latest(user)));
    assertThat(cursor.stamp("user-1")).isGreaterThan(12);
  }

  private static void assertNew(Cursor cursor) {
    assertThat(cursor.epoch()).isNotEqualTo("7f3a").matches("[0-9a-f]{8}");
    assertThat(cursor.latest("x".repeat(128))).isZero();
    assertThat(cursor.stamp("user-1")).isEqualTo(1);
  }

  /// Takes what can't be trusted: with a new epoch, one warning, and an end to the file.
  private void assertRefused(String reason) {
    try (LogCapture log = new LogCapture()) {
      assertNew(taken());
      assertThat(log.warnings())
          .singleElement()
          .asString()
          .startsWith("event=cursor-lost reason=")
          .contains(file.toString(), reason)
          .doesNotContain("\n");
    }
    assertThat(file).doesNotExist();
  }

  @Test
  void aCursorGoesOnAndItsFileIsGone() {
    cursorFile.write(before.close(), MARK);

    assertKept(taken());

    assertThat(directory).isEmptyDirectory();
    assertNew(taken());
  }

  @Test
  void theFileIsItsOwnersAlone() throws IOException {
    cursorFile.write(before.close(), MARK);

    assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
        .isEqualTo("rw-------");
    assertThat(directory).isDirectoryContaining("glob:**/cursor");
  }

  @Test
  void aDirectoryThatIsMissingIsMade() {
    CursorFile deep = new CursorFile(directory.resolve("a/b"));
    deep.write(before.close(), MARK);

    assertKept(deep.take(MARK, 3));
  }

  @Test
  void aFirstStartIsSilent() {
    try (LogCapture log = new LogCapture()) {
      assertNew(new CursorFile(directory.resolve("a/b")).take("", 3));
      assertThat(log.lines()).isEmpty();
    }
  }

  @Test
  void anotherMarkOfTheDatabaseMeansANewEpochAndTheEndOfTheFile() {
    cursorFile.write(before.close(), MARK);

    assertNew(cursorFile.take("", 3));

    assertThat(file).doesNotExist();
  }

  @Test
  void twoStartsFromCopiesOfOneFileGiveDifferentStamps() throws IOException {
    cursorFile.write(before.close(), MARK);
    byte[] copy = Files.readAllBytes(file);
    long one = taken().stamp("alice");
    Files.write(file, copy);
    long other = taken().stamp("alice");

    assertThat(one).isNotEqualTo(other);
  }

  @Test
  void noBitOfTheFileMayBeAnother() throws IOException {
    cursorFile.write(before.close(), MARK);
    byte[] good = Files.readAllBytes(file);
    for (int bit = 0; bit < good.length * 8; bit++) {
      byte[] bad = good.clone();
      bad[bit / 8] ^= (byte) (1 << bit % 8);
      Files.write(file, bad);
      assertRefused("");
    }
  }

  @Test
  void noByteMayBeMissingOrComeBehind() throws IOException {
    cursorFile.write(before.close(), MARK);
    byte[] good = Files.readAllBytes(file);
    for (int length = 0; length < good.length; length++) {
      Files.write(file, Arrays.copyOf(good, length));
      assertRefused("");
    }
    Files.write(file, Arrays.copyOf(good, good.length + 1));
    assertRefused("damaged");
  }

  @Test
  void aLaterFormatIsNamed() throws IOException {
    cursorFile.write(before.close(), MARK);
    byte[] bytes = Files.readAllBytes(file);
    bytes[11] = 2;
    Files.write(file, bytes);

    assertRefused("it has format 2, and this release knows 1");
  }

  @Test
  void whatIsNoCursorIsRefused() throws IOException {
    Files.writeString(file, "the notes of an operator\n");

    assertRefused("it is none of this service's");
  }

  @Test
  void aStateThatNoCursorHasIsRefused() {
    cursorFile.write(before.close().movedOn(100_000_000_000_000_000L), MARK);
    assertRefused("damaged");
    cursorFile.write(CursorState.begin("no epoch"), MARK);
    assertRefused("damaged");
  }

  @Test
  void aDirectoryInTheFilesPlaceIsNoReasonToFail() throws IOException {
    Files.createDirectories(file.resolve("something"));
    try (LogCapture log = new LogCapture()) {
      assertNew(taken());
      cursorFile.write(before.close(), MARK);
      assertThat(log.warnings()).hasSize(2).allMatch(each -> each.startsWith("event=cursor-lost "));
    }
    assertThat(directory.resolve("cursor.draft")).doesNotExist();
  }

  @Test
  void aDataDirectoryThatIsNoneIsNoReasonToFail() throws IOException {
    CursorFile nowhere = new CursorFile(Files.createFile(directory.resolve("taken")));
    try (LogCapture log = new LogCapture()) {
      nowhere.write(before.close(), MARK);
      assertThat(log.warnings()).singleElement().asString().startsWith("event=cursor-lost ");
      assertNew(nowhere.take(MARK, 3));
    }
  }

  @Test
  void aDraftThatACrashLeftIsWrittenOver() throws IOException {
    Files.write(directory.resolve("cursor.draft"), new byte[1_000]);
    cursorFile.write(before.close(), MARK);

    assertKept(taken());
    assertThat(directory).isEmptyDirectory();
  }
}
