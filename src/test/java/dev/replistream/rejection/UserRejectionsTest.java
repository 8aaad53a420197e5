package dev.replistream.rejection;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.data.RejectionStore;
import dev.replistream.rejection.UserRejections.Range;
import org.junit.jupiter.api.Test;

/// What other nodes tell of one user.
class UserRejectionsTest {
  private final UserRejections user = new UserRejections();

  @Test
  void whatIsToldWhileSomebodyReadsIsReadAtOnceAfterwards() {
    assertThat(user.want(new Range(1, 2))).isTrue();
    assertThat(user.takeWanted()).containsExactly(new Range(1, 2));
    assertThat(user.want(new Range(5, 5))).isFalse();
    assertThat(user.want(new Range(3, 4))).isFalse();

    assertThat(user.takeWanted()).containsExactly(new Range(5, 5), new Range(3, 4));
    assertThat(user.takeWanted()).isEmpty();
    assertThat(user.want(new Range(6, 6))).isTrue();
  }

  @Test
  void noMoreIsWantedThanIsKept() {
    user.want(new Range(0, 0));
    user.takeWanted();
    for (int i = 1; i <= 1_000; i++) {
      user.want(new Range(i, i));
    }

    assertThat(user.takeWanted())
        .hasSize(RejectionStore.MOST_PER_USER)
        .startsWith(new Range(901, 901))
        .endsWith(new Range(1_000, 1_000));
  }
}
