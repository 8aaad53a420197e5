package dev.replistream.sync;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// What the operator can count of pushes and pulls. The numbers are the process's, so each test
/// looks at differences.
class SyncMetricsTest {
  private static final JsonValue ONE = JsonValue.of(1);
  private static TestService service;

  private Map<String, Double> before = Map.of();

  @BeforeAll
  static void start() {
    service = TestService.start(new TestMutators());
  }

  @AfterAll
  static void close() {
    service.close();
  }

  private void remember() {
    before = service.client().metrics();
  }

  private double more(String sample) {
    Map<String, Double> now = service.client().metrics();
    assertThat(now).containsKey(sample);
    return now.getOrDefault(sample, 0.0) - before.getOrDefault(sample, 0.0);
  }

  @Test
  void mutationsAreCountedByWhatBecameOfThem() {
    Replica replica = Replica.of(service.client(), "alice");
    JsonValue first = replica.put("a", ONE);
    replica.push(first);
    remember();

    replica.push(
        first,
        replica.put("b", ONE),
        replica.put("c", ONE),
        replica.mutation("rejectAfterWrite", JsonValue.of("a")),
        replica.mutation("failAfterWrite", JsonValue.of("a")),
        replica.mutation("noSuchMutator", JsonValue.of("a")));

    assertThat(more("replistream_pushes_total")).isEqualTo(1);
    assertThat(more("replistream_mutations_total{outcome=\"applied\"}")).isEqualTo(2);
    assertThat(more("replistream_mutations_total{outcome=\"duplicate\"}")).isEqualTo(1);
    assertThat(more("replistream_mutations_total{outcome=\"rejected\"}")).isEqualTo(1);
    assertThat(more("replistream_mutations_total{outcome=\"failed\"}")).isEqualTo(2);
    assertThat(more("replistream_pokes_total{source=\"push\"}")).isEqualTo(1);
    assertThat(more("replistream_database_seconds_count{kind=\"transaction\"}")).isPositive();
  }

  @Test
  void pullsAreCountedByKindWithTheirRowsAndBytes() {
    Replica replica = Replica.of(service.client(), "bob");
    replica.push(replica.put("a", ONE), replica.put("b", ONE));
    remember();

    replica.pull();
    replica.pull();
    replica.push(replica.put("c", ONE));
    replica.pull();

    assertThat(more("replistream_pulls_total{kind=\"full\"}")).isEqualTo(1);
    assertThat(more("replistream_pulls_total{kind=\"unchanged\"}")).isEqualTo(1);
    assertThat(more("replistream_pulls_total{kind=\"delta\"}")).isEqualTo(1);
    assertThat(more("replistream_pull_rows_total")).isEqualTo(4);
    assertThat(more("replistream_pull_bytes_total")).isBetween(600.0, 6_000.0);
    assertThat(more("replistream_database_seconds_count{kind=\"snapshot\"}")).isEqualTo(3);
  }

  @Test
  void theTimeFromAPokeToTheNextPullIsMeasuredOnce() {
    Replica replica = Replica.of(service.client(), "carol");
    replica.pull();
    remember();

    replica.pull();
    assertThat(more("replistream_poke_to_pull_seconds_count")).isZero();
    service.client().poke("carol");
    replica.pull();
    replica.pull();

    assertThat(more("replistream_poke_to_pull_seconds_count")).isEqualTo(1);
  }

  @Test
  void whatHappensSeldomIsThereFromTheBeginning() {
    assertThat(service.client().metrics())
        .containsKeys(
            "replistream_database_retries_total",
            "replistream_pulls_total{kind=\"lost\"}",
            "replistream_pulls_total{kind=\"set_back\"}");
  }
}
