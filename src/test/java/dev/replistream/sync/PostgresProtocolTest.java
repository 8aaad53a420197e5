package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;
import dev.replistream.http.JsonValue;
import java.time.Duration;
import java.util.Arrays;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

class PostgresProtocolTest extends ProtocolRules {
  private static TestService service;
  private static String url;

  @BeforeAll
  static void start() {
    url = TestPostgres.newDatabase();
    service =
        TestService.start(
            new TestMutators(),
            Stream.concat(Stream.of("DB_URL", url, "DB_USER", "postgres"), Arrays.stream(SETTINGS))
                .toArray(String[]::new));
  }

  @AfterAll
  static void close() {
    service.close();
  }

  @Override
  TestService service() {
    return service;
  }

  @Override
  String databaseUrl() {
    return url;
  }

  /// More entries than one statement buries in the time that it has.
  private static final int MANY = 500_000;

  @Test
  void aRoomOfAnySizeIsDeletedAtOnceAndIsInNoViewThen() {
    Replica owner = replica(alice);
    Replica member = replica(bob);
    owner.push(owner.mutation("createRoom", JsonValue.of(room)), owner.join(room, bob, "reader"));
    member.pull();
    execute(
        """
        INSERT INTO entry (space, key, born, version, value, changed_at)
        SELECT ?, convert_to('key' || i, 'UTF8'), 1, 1, convert_to('1', 'UTF8'), 0
        FROM generate_series(1, ?) AS i\
        """,
        "r/" + room,
        MANY);
    long start = System.nanoTime();

    owner.push(owner.mutation("deleteRoom", JsonValue.of(room)));

    assertThat(Duration.ofNanos(System.nanoTime() - start)).isLessThan(Duration.ofSeconds(4));
    assertThat(member.pull()).contains("clear"); // too many changes to tell them
    assertThat(member.view()).isEmpty();
  }
}
