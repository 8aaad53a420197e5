package dev.replistream.cluster;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;

/// The one thing that is done for a user in a test, a push or a poke, so that the sync of nothing
/// else can stand for the one that has to follow it. Confined to one thread.
final class Deed {
  private static final String KEY = "key";

  private final Listener listener;
  private final boolean isPush;
  private final Cluster.Answer answer;
  private final long begunNanoTime = System.nanoTime();
  private final long answeredNanoTime;

  private Deed(Cluster cluster, Listener listener, boolean isPush, RandomGenerator random) {
    this.listener = listener;
    this.isPush = isPush;
    String token = cluster.token(listener.userId());
    this.answer =
        cluster.send(
            random,
            isPush
                ? push(listener.userId(), token)
                : HttpRequest.api("POST", "/poke-user").by(token));
    this.answeredNanoTime = System.nanoTime();
    assertThat(answer.reply().status()).as("%s", answer).isEqualTo(200);
  }

  /// Does it by any node, as often as it takes.
  static Deed now(Cluster cluster, Listener listener, RandomGenerator random) {
    return new Deed(cluster, listener, random.nextBoolean(), random);
  }

  /// A push of the user's first mutation.
  static HttpRequest push(String userId, String token) {
    return HttpRequest.api("POST", "/push")
        .by(token)
        .with("Content-Type", "application/json")
        .with(
            """
            {"pushVersion":1,"profileID":"p","clientGroupID":"group-%1$s","schemaVersion":"",
             "mutations":[{"clientID":"client-%1$s","id":1,"name":"put",
             "args":{"key":"%2$s","value":"%1$s"},"timestamp":1}]}
            """
                .formatted(userId, KEY));
  }

  Listener listener() {
    return listener;
  }

  Cluster.Answer answer() {
    return answer;
  }

  /// How long after the answer the client was told; negative where that came first.
  Duration untilTold() {
    List<Long> syncs = listener.syncs();
    assertThat(syncs).as(toString()).isNotEmpty();
    assertThat(syncs.getFirst()).as("told before it was done").isGreaterThan(begunNanoTime);
    return Duration.ofNanos(syncs.getFirst() - answeredNanoTime);
  }

  /// Checks that what was pushed is there for a client that holds nothing.
  void assertKept(Cluster cluster, RandomGenerator random) {
    if (!isPush) {
      return;
    }
    HttpReply pulled =
        cluster
            .send(
                random,
                HttpRequest.api("POST", "/pull")
                    .by(cluster.token(listener.userId()))
                    .with("Content-Type", "application/json")
                    .with(
                        """
                        {"pullVersion":1,"profileID":"p","clientGroupID":"group-%s",
                         "schemaVersion":"","cookie":null}
                        """
                            .formatted(listener.userId())))
            .reply();
    assertThat(pulled.status()).isEqualTo(200);
    assertThat(pulled.body())
        .contains(
            "\"key\":\"" + KEY + "\",\"value\":\"" + listener.userId() + "\"",
            "{\"client-" + listener.userId() + "\":1}");
  }

  @Override
  public String toString() {
    return (isPush ? "push" : "poke")
        + " of "
        + listener.userId()
        + ", answered by node "
        + answer.node()
        + ", cut off "
        + answer.cutOff()
        + " times, 503 "
        + answer.unavailable()
        + " times; its client was told "
        + listener.syncs().size()
        + " times";
  }
}
