package dev.replistream.rejection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpRequest;
import dev.replistream.StreamClient;
import dev.replistream.TestCluster;
import dev.replistream.api.JsonValue;
import dev.replistream.sync.Replica;
import java.util.List;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

/// Two nodes that act as one, with a real Redis and a real PostgreSQL.
class RejectionsOnManyNodesTest {
  private static TestCluster nodes;

  @BeforeAll
  static void start() {
    nodes = TestCluster.start(2);
  }

  @AfterAll
  static void close() {
    nodes.close();
  }

  @Test
  void whoeverOfTheUserListensToAnotherNodeIsToldTooAndNobodyElse() {
    try (StreamClient near = asking(0, "alice");
        StreamClient far = asking(1, "alice");
        StreamClient bob = asking(1, "bob")) {
      Replica alice = Replica.of(nodes.client(0), "alice");

      alice.push(
          alice.mutation("first", JsonValue.ofNull()),
          alice.mutation("second", JsonValue.ofNull()));

      for (StreamClient each : List.of(near, far)) {
        assertThat(name(each)).isEqualTo("first");
        assertThat(name(each)).isEqualTo("second");
      }
      nodes.client(0).poke("bob");
      bob.expect("sync");
      for (int node = 0; node < 2; node++) {
        assertThat(rejections(node, "alice")).hasSize(2);
        assertThat(rejections(node, "bob")).isEmpty();
      }
    }
  }

  @Test
  void ofAFloodOfPushesEachIsToldOnce() {
    try (StreamClient near = asking(0, "carol");
        StreamClient far = asking(1, "carol")) {
      List<String> names = IntStream.range(0, 40).mapToObj(i -> "n" + i).toList();
      Replica here = Replica.of(nodes.client(0), "carol");
      Replica there = Replica.of(nodes.client(1), "carol");
      for (int i = 0; i < names.size(); i++) {
        Replica replica = i % 2 == 0 ? here : there;
        replica.push(replica.mutation(names.get(i), JsonValue.ofNull()));
      }

      for (StreamClient each : List.of(near, far)) {
        assertThat(Stream.generate(() -> name(each)).limit(names.size()))
            .containsExactlyInAnyOrderElementsOf(names);
      }
    }
  }

  private static StreamClient asking(int node, String userId) {
    StreamClient stream =
        nodes
            .client(node)
            .open(
                HttpRequest.api("GET", "/stream?rejections=1")
                    .by(nodes.client(node).token(userId)));
    stream.expect("connected");
    return stream;
  }

  private static String name(StreamClient stream) {
    return RejectionRules.rejected(stream).get("name").asText();
  }

  private static List<JsonValue> rejections(int node, String userId) {
    HttpRequest request =
        HttpRequest.api("GET", "/rejections").by(nodes.client(node).token(userId));
    return JsonValue.parse(nodes.client(node).send(request).body()).get("rejections").asElements();
  }
}
