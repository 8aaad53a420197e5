package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.SettableClock;
import dev.replistream.auth.Caller.Credential;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;

final class TicketsTest {
  private static final Duration TTL = Duration.ofSeconds(30);

  private final SettableClock clock = new SettableClock();
  private final Tickets tickets = new Tickets(TTL, new MemoryTickets(100, clock), clock);
  private final Caller alice = caller(Duration.ofHours(1));

  @Test
  void aTicketStandsForItsCallerOnce() {
    String ticket = tickets.issue(alice);

    assertThat(tickets.redeem(ticket)).contains(alice.by(Credential.TICKET));
    assertThat(tickets.redeem(ticket)).isEmpty();
    assertThat(tickets.redeem(ticket + "x")).isEmpty();
    assertThat(tickets.redeem("")).isEmpty();
  }

  @Test
  void aTicketIsForTheTimeBeforeItsEnd() {
    String first = tickets.issue(alice);
    String second = tickets.issue(alice);

    clock.advance(TTL.minusMillis(1));
    assertThat(tickets.redeem(first)).isPresent();
    clock.advance(Duration.ofMillis(1));
    assertThat(tickets.redeem(second)).isEmpty();
  }

  @Test
  void aTicketDiesWithTheTokenItCameFrom() {
    Caller brief = caller(Duration.ofSeconds(10));
    String ticket = tickets.issue(brief);
    String lasting = tickets.issue(alice);

    assertThat(tickets.lifetime(brief)).isEqualTo(Duration.ofSeconds(10));
    assertThat(tickets.lifetime(alice)).isEqualTo(TTL);
    clock.advance(Duration.ofSeconds(10));
    assertThat(tickets.redeem(ticket)).isEmpty();
    assertThat(tickets.redeem(lasting)).isPresent();
  }

  @Test
  void whoAsksForTooManyPushesOutTheirOwnOldestAndNobodyElses() {
    Tickets large = new Tickets(TTL, new MemoryTickets(100_000, clock), clock);
    Caller bob = new Caller("bob", Set.of(), alice.expiresAt(), Credential.HEADER);
    String ofBob = large.issue(bob);
    List<String> issued = new ArrayList<>();
    for (int i = 0; i < 104_000; i++) {
      issued.add(large.issue(alice));
    }

    assertThat(large.redeem(ofBob)).isPresent();
    assertThat(issued.subList(0, 103_900)).allMatch(ticket -> large.redeem(ticket).isEmpty());
    assertThat(issued.subList(103_900, 104_000))
        .allMatch(ticket -> large.redeem(ticket).isPresent());
  }

  @Test
  void aUsedTicketMakesRoomForAnother() {
    String first = tickets.issue(alice);
    for (int i = 0; i < 1_000; i++) {
      assertThat(tickets.redeem(tickets.issue(alice))).isPresent();
    }

    assertThat(tickets.redeem(first)).isPresent();
  }

  @Test
  void overTheLimitTheOldestFallOut() {
    List<String> issued = new ArrayList<>();
    for (int i = 0; i < 150; i++) {
      issued.add(tickets.issue(alice));
    }

    assertThat(issued.subList(0, 50)).allMatch(ticket -> tickets.redeem(ticket).isEmpty());
    assertThat(issued.subList(50, 150)).allMatch(ticket -> tickets.redeem(ticket).isPresent());
  }

  @Test
  void expiredTicketsMakeRoomFirst() {
    for (int i = 0; i < 100; i++) {
      tickets.issue(alice);
    }
    clock.advance(TTL);

    List<String> issued = new ArrayList<>();
    for (int i = 0; i < 100; i++) {
      issued.add(tickets.issue(alice));
    }

    assertThat(issued).allMatch(ticket -> tickets.redeem(ticket).isPresent());
  }

  @Test
  void ticketsAreOpaqueAndNeverTheSame() {
    Set<String> issued = new HashSet<>();
    for (int i = 0; i < 10_000; i++) {
      issued.add(tickets.issue(alice));
    }

    assertThat(issued).hasSize(10_000).allMatch(ticket -> ticket.matches("[A-Za-z0-9_-]{32}"));
  }

  @Test
  void ofManyWhoRedeemATicketOneWins() throws Exception {
    int threads = 8;
    int rounds = 1000;
    AtomicReference<String> ticket = new AtomicReference<>("");
    AtomicInteger winners = new AtomicInteger();
    List<Integer> winnersOfRounds = new ArrayList<>();
    CyclicBarrier start = new CyclicBarrier(threads, () -> ticket.set(tickets.issue(alice)));
    CyclicBarrier end = new CyclicBarrier(threads, () -> winnersOfRounds.add(winners.getAndSet(0)));
    Callable<Void> redeemer =
        () -> {
          for (int round = 0; round < rounds; round++) {
            start.await(10, TimeUnit.SECONDS);
            if (tickets.redeem(ticket.get()).isPresent()) {
              winners.incrementAndGet();
            }
            end.await(10, TimeUnit.SECONDS);
          }
          return null;
        };

    try (ExecutorService executor = Executors.newFixedThreadPool(threads)) {
      List<Future<Void>> futures = new ArrayList<>();
      for (int i = 0; i < threads; i++) {
        futures.add(executor.submit(redeemer));
      }
      for (Future<Void> future : futures) {
        future.get(60, TimeUnit.SECONDS);
      }
    }

    assertThat(winnersOfRounds).hasSize(rounds).containsOnly(1);
  }

  @Test
  void aStoreNeedsATimeAndASize() {
    TicketStore store = new MemoryTickets(1, clock);
    assertThatThrownBy(() -> new Tickets(Duration.ZERO, store, clock))
        .isInstanceOf(IllegalArgumentException.class);
    assertThatThrownBy(() -> new MemoryTickets(0, clock))
        .isInstanceOf(IllegalArgumentException.class);
  }

  private Caller caller(Duration untilExpiry) {
    return new Caller("alice", Set.of("a"), clock.instant().plus(untilExpiry), Credential.HEADER);
  }
}
