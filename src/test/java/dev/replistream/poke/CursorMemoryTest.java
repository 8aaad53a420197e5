package dev.replistream.poke;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Rounds;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

/// Millions of users are poked, in a process whose heap could not hold one entry for each.
class CursorMemoryTest {
  private static final int USERS = Rounds.of(3_000_000, 10_000_000);
  private static final int GENERATION = 100_000;

  /// The process: it knows the last stamp of each user beside the cursor, in four bytes.
  static final class Simulation {
    private Simulation() {}

    public static void main(String[] args) {
      SplittableRandom random = new SplittableRandom(Long.parseLong(args[0]));
      Cursor cursor = new Cursor("e", GENERATION);
      int[] last = new int[USERS];
      for (int user = 0; user < USERS; user++) {
        last[user] = (int) cursor.stamp("user-" + user);
        if (user % 10 == 0) { // somebody who may be forgotten is poked again
          int again = random.nextInt(user + 1);
          last[again] = (int) cursor.stamp("user-" + again);
        }
        if (user % 100 == 0) {
          require(cursor, last, random.nextInt(user + 1));
        }
      }
      CursorState state = cursor.close();
      int retained = state.young().size() + state.old().size();
      Cursor next = new Cursor(state, GENERATION);
      int exact = 0;
      for (int user = 0; user < USERS; user++) {
        require(next, last, user);
        exact += next.latest("user-" + user) == last[user] ? 1 : 0;
      }
      System.out.println("retained=" + retained + " exact=" + exact);
    }

    /// A client is told nothing where its id is the latest, so that may never be an older one.
    private static void require(Cursor cursor, int[] last, int user) {
      if (cursor.latest("user-" + user) < last[user]) {
        throw new AssertionError("user-" + user + " would not be told of " + last[user]);
      }
    }
  }

  @Test
  void millionsOfUsersTakeNoMoreMemoryThanTwoGenerationsAndNobodyMissesAPoke()
      throws IOException, InterruptedException {
    long seed = System.nanoTime();
    Process process =
        new ProcessBuilder(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-Xmx" + (88 + USERS * 4 / (1 << 20)) + "m", // the second is the model's
                "-Dlong=" + Boolean.getBoolean("long"),
                "-XX:+UseSerialGC",
                "-cp",
                System.getProperty("java.class.path"),
                Simulation.class.getName(),
                Long.toString(seed))
            .redirectErrorStream(true)
            .start();
    String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);

    assertThat(process.waitFor()).as("seed %d: %s", seed, output).isZero();
    assertThat(output).matches("retained=\\d+ exact=\\d+\\s+");
    int retained = Integer.parseInt(output.replaceAll("retained=(\\d+) .*\\s+", "$1"));
    int exact = Integer.parseInt(output.replaceAll(".* exact=(\\d+)\\s+", "$1"));
    assertThat(retained).isBetween(GENERATION, 2 * GENERATION + 1);
    assertThat(exact).isBetween(GENERATION, 2 * GENERATION + 1);
  }
}
