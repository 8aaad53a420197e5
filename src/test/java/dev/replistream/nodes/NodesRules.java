package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.poke.RecordingStreams;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/// What every implementation of {@link Nodes} keeps to. The nodes may be two or one.
public interface NodesRules {
  /// The node that asks.
  TestNode near();

  /// The other one.
  TestNode far();

  @Test
  default void countsAreThoseOfAllNodes() {
    near().streams().open("alice");
    far().streams().open("alice");
    far().streams().open("bob");

    Eventually.holds("two of alice's", () -> near().nodes().connections("alice") == 2);
    Eventually.holds("three in all", () -> near().nodes().connections() == 3);

    far().streams().close("alice");

    Eventually.holds("one of alice's", () -> near().nodes().connections("alice") == 1);
    Eventually.holds("two in all", () -> near().nodes().connections() == 2);
  }

  @Test
  default void theOtherNodesThatHoldAUsersStreamsAnswerWhatIsAsked() {
    near().nodes().answer("greet", text -> "near has " + text);
    far().nodes().answer("greet", text -> "far has " + text);
    near().streams().open("alice");
    far().streams().open("alice");
    near().streams().open("bob");
    String question = "a \"\u00e4 \ud83d\ude00\" b";
    List<String> answers = far().equals(near()) ? List.of() : List.of("far has " + question);

    assertThat(near().nodes().ask("alice", "greet", question))
        .isEqualTo(new Nodes.Answers(answers, true));
    assertThat(near().nodes().ask("bob", "greet", question))
        .isEqualTo(new Nodes.Answers(List.of(), true));
  }

  @Test
  default void aNodeThatCannotAnswerIsMissed() {
    far()
        .nodes()
        .answer(
            "fail",
            _ -> {
              throw new IllegalStateException("no");
            });
    far().streams().open("alice");

    for (String topic : List.of("fail", "unknown")) {
      assertThat(near().nodes().ask("alice", topic, "?"))
          .isEqualTo(new Nodes.Answers(List.of(), far().equals(near())));
    }
    far().nodes().answer("greet", _ -> "");
    assertThat(near().nodes().ask("alice", "greet", "?").isComplete()).isTrue();
  }

  @Test
  default void whoIsPresentElsewhereIsKnownAndSinceWhen() {
    boolean isAlone = far().equals(near());
    far().streams().open("alice");
    far().streams().open("alice");
    near().streams().open("bob");

    Eventually.holds(
        "alice is seen there, and bob nowhere but here",
        () ->
            near()
                .nodes()
                .elsewhere(List.of("alice", "bob", "carol"))
                .equals(
                    isAlone
                        ? Map.of()
                        : Map.of(
                            "alice",
                            new Present(2, RecordingStreams.SINCE),
                            "bob",
                            new Present(0, RecordingStreams.SINCE))));
  }

  @Test
  default void whatANodeTellsTheOthersHear() {
    List<String> told = new CopyOnWriteArrayList<>();
    near().nodes().listen("news", text -> told.add("near: " + text));
    far().nodes().listen("news", text -> told.add("far: " + text));

    near().nodes().tell("gossip", "nobody listens");
    near().nodes().tell("news", "a \"\u00e4 \ud83d\ude00\" b");

    if (far().equals(near())) {
      assertThat(told).isEmpty();
    } else {
      Eventually.holds("it is told", () -> !told.isEmpty());
      assertThat(told).containsExactly("far: a \"\u00e4 \ud83d\ude00\" b");
    }
  }

  @Test
  default void thatANodeHasGoneIsToldToTheOther() {
    AtomicInteger changes = new AtomicInteger();
    near().nodes().onTopologyChange(changes::incrementAndGet);

    far().close();

    if (far().equals(near())) {
      assertThat(changes).hasValue(0);
    } else {
      Eventually.holds("it is told", () -> changes.get() > 0);
    }
  }
}
