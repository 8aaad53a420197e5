package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.db.DatabaseStartException;
import dev.replistream.db.TestPostgres;
import dev.replistream.nodes.TestRedis;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.sql.Statement;
import java.time.Clock;
import java.util.List;
import java.util.Set;
import org.assertj.core.api.AbstractThrowableAssert;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// How a service starts, or says in one line why not.
class ApplicationTest {
  private static AbstractThrowableAssert<?, ? extends Throwable> assertRefused(
      String message, String... environment) {
    Settings settings = TestService.settings(environment);
    try (LogCapture _ = new LogCapture()) {
      return assertThatThrownBy(
              () -> {
                try (Application application = new Application(settings, Clock.systemUTC())) {
                  application.start();
                }
              })
          .isInstanceOf(SettingsException.class)
          .hasMessageStartingWith(message)
          .hasMessageNotContaining("\n");
    }
  }

  @Test
  void portsOfZeroAreAnyThatAreFree() {
    try (TestService service = TestService.start()) {
      assertThat(service.application().port()).isPositive();
      assertThat(service.application().adminPort())
          .isPositive()
          .isNotEqualTo(service.application().port());
    }
  }

  @Test
  void aServiceThatHasNotStartedHasNoPorts() {
    try (LogCapture _ = new LogCapture();
        Application application = new Application(TestService.settings(), Clock.systemUTC())) {
      assertThat(application.port()).isEqualTo(-1);
      assertThat(application.adminPort()).isEqualTo(-1);
    }
  }

  @Test
  void aPortThatIsTakenIsNamed() throws IOException {
    try (ServerSocket taken = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      String port = Integer.toString(taken.getLocalPort());

      assertRefused("replistream.port: can't listen on 127.0.0.1:" + port, "PORT", port);
      assertRefused(
          "replistream.admin-port: can't listen on 127.0.0.1:" + port, "ADMIN_PORT", port);
    }
  }

  @Test
  void anAddressThatIsNotThisMachinesIsNamed() {
    assertRefused("replistream.host: can't listen on 192.0.2.1:0", "HOST", "192.0.2.1");
    assertRefused("replistream.admin-host: can't listen on 192.0.2.1:0", "ADMIN_HOST", "192.0.2.1");
    assertRefused("replistream.admin-host: can't listen on no host:0", "ADMIN_HOST", "no host");
  }

  @Test
  void aDataDirectoryWhereNoDatabaseCanBeIsNamed(@TempDir Path directory) throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    Path dangling = Files.createSymbolicLink(directory.resolve("link"), directory.resolve("gone"));
    Path damaged = Files.createDirectory(directory.resolve("damaged"));
    Files.writeString(damaged.resolve("replistream.db"), "no database, however long\n".repeat(99));
    Path taken = Files.createDirectory(directory.resolve("taken"));
    Files.createDirectory(taken.resolve("replistream.db"));

    for (Path bad : List.of(file, file.resolve("a/b"))) {
      assertThatThrownBy(() -> TestService.settings("DATA_DIR", bad.toString()))
          .isInstanceOf(SettingsException.class)
          .hasMessage("replistream.data-dir: %s is no directory", file);
    }
    assertNoDatabase(dangling, dangling + " is no directory");
    assertNoDatabase(damaged, "not a database");
    assertNoDatabase(taken, "not a file");
    assertNoDatabase(Path.of("/proc/data"), "there is no /proc/data");
    assertNoDatabase(directory.resolve("x".repeat(300)), "File name too long");
    assertNoDatabase(directory.resolve("really?"), "no ? in its path");
  }

  private static void assertNoDatabase(Path dataDir, String why) {
    Settings settings = TestService.settings("DATA_DIR", dataDir.toString());
    assertThatThrownBy(() -> new Application(settings, Clock.systemUTC()).close())
        .isInstanceOf(DatabaseStartException.class)
        .hasMessageStartingWith("replistream.data-dir: ")
        .hasMessageContaining(why)
        .hasMessageNotContaining("\n");
  }

  @Test
  void aDataDirectoryThatIsNoneIsNamedWhereverTheDatabaseIs(@TempDir Path directory)
      throws IOException {
    Path file = Files.createFile(directory.resolve("file"));
    for (String url :
        List.of("jdbc:sqlite:" + directory.resolve("x.db"), "jdbc:postgresql://h/d")) {
      assertThatThrownBy(() -> TestService.settings("DATA_DIR", file.toString(), "DB_URL", url))
          .isInstanceOf(SettingsException.class)
          .hasMessageStartingWith("replistream.data-dir: ");
    }
  }

  @Test
  void aRedisThatRefusesIsNamedWithoutThePassword() {
    try (TestRedis redis = TestRedis.start("--requirepass", "right")) {
      String[] wrong = nodeAt(redis.url().replace("//", "//:s3cret@"));
      assertRefused("replistream.redis.url: Redis answers: WRONGPASS ", wrong)
          .hasMessageNotContaining("s3cret");
      assertRefused("replistream.redis.url: Redis answers: NOAUTH ", nodeAt(redis.url()));
    }
  }

  @Test
  void aRightThatRedisDoesNotGiveIsNamed() {
    try (TestRedis redis =
        TestRedis.start(
            "--user", "node", "on", ">s3cret", "~*", "&*", "+@all", "-hdel", "-publish")) {
      assertRefused(
              "replistream.redis.url: Redis answers: the user may not HDEL PUBLISH within"
                  + " replistream:*",
              nodeAt(redis.url().replace("//", "//node:s3cret@")))
          .hasMessageNotContaining("s3cret");
    }
  }

  private static String[] nodeAt(String redisUrl) {
    return new String[] {
      "DB_URL", TestPostgres.newDatabase(), "DB_USER", "postgres", "REDIS_URL", redisUrl
    };
  }

  @Test
  void aServiceWhoseDatabaseIsNoneOfItsOwnLeavesNothingOpen() throws SQLException {
    ServiceSettings settings = TestService.allSettings();
    String file = "jdbc:sqlite:" + settings.dataDir().resolve("replistream.db");
    try (LogCapture _ = new LogCapture()) {
      new Application(settings, Clock.systemUTC()).close();
      execute(file, "UPDATE meta SET content = 'no key ' || content WHERE name = 'cookie-key'");
      Set<Thread> before = Thread.getAllStackTraces().keySet();

      assertThatThrownBy(() -> new Application(settings, Clock.systemUTC()))
          .isInstanceOf(IllegalArgumentException.class);

      Eventually.holds(
          "its threads are gone",
          () ->
              Thread.getAllStackTraces().keySet().stream()
                  .filter(thread -> !before.contains(thread))
                  .noneMatch(thread -> thread.getName().matches("sqlite-.*|wire-.*|stream-.*")));
      execute(file, "UPDATE meta SET content = substr(content, 8) WHERE name = 'cookie-key'");
      new Application(settings, Clock.systemUTC()).close();
    }
  }

  private static void execute(String url, String sql) throws SQLException {
    try (Connection connection = DriverManager.getConnection(url);
        Statement statement = connection.createStatement()) {
      assertThat(statement.executeUpdate(sql)).isOne();
    }
  }

  @Test
  void aServiceCanStartWhereAnotherStopped() {
    String port;
    try (TestService first = TestService.start()) {
      port = Integer.toString(first.application().port());
      try (StreamClient stream = first.client().connected("alice")) {
        first.client().poke("alice");
        stream.expect("sync");
      }
    }
    try (TestService second = TestService.start("PORT", port)) {
      assertThat(second.client().poke("alice")).isZero();
    }
  }

  @Test
  void javaCodePokesAsARequestDoes() {
    try (TestService service = TestService.start();
        StreamClient stream = service.client().connected("alice")) {
      assertThat(service.application().pokes().notifyUser("alice")).isEqualTo(1);
      assertThat(service.application().pokes().notifyUser("bob")).isZero();
      assertThat(stream.expect("sync").stamp()).isEqualTo(1);
    }
  }
}
