package dev.replistream.rules.http;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpRequest;
import dev.replistream.ServiceClient;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import dev.replistream.cli.CommandProcess;
import dev.replistream.sync.Replica;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.nio.file.Path;
import java.time.Clock;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// The service is killed as rules have decided.
class KilledWhileAskingTest {
  private static final int MUTATIONS = 6;

  @TempDir private Path directory;

  private static int freePort() throws IOException {
    try (ServerSocket probe = new ServerSocket(0, 1, InetAddress.getLoopbackAddress())) {
      return probe.getLocalPort();
    }
  }

  private CommandProcess start(TestRules application, int port) throws Exception {
    CommandProcess process =
        CommandProcess.start(
            Map.of(
                "REPLISTREAM_HOST",
                "127.0.0.1",
                "REPLISTREAM_PORT",
                Integer.toString(port),
                "REPLISTREAM_ADMIN_PORT",
                "0",
                "REPLISTREAM_AUTH_SECRET",
                TestService.SECRET,
                "REPLISTREAM_DATA_DIR",
                directory.toString(),
                "REPLISTREAM_MUTATORS_URL",
                application.url(),
                "REPLISTREAM_MUTATORS_SECRET",
                TestRules.SECRET),
            List.of(),
            "serve");
    process.out().await("event=start");
    return process;
  }

  @Test
  void eachMutationIsAppliedOnceWhenAllAreSentAgain() throws Exception {
    int port = freePort();
    ServiceClient client = new ServiceClient(port, 0, TestService.settings(), Clock.systemUTC());
    Replica alice = Replica.of(client, "alice");
    List<JsonValue> mutations = new ArrayList<>();
    for (int i = 0; i < MUTATIONS; i++) {
      mutations.add(alice.mutation("make", JsonValue.ofNull()));
    }
    AtomicBoolean isKilled = new AtomicBoolean();
    AtomicReference<CommandProcess> running = new AtomicReference<>();
    try (TestRules application = new TestRules()) {
      application.on(
          "make",
          (request, mutation) -> {
            long id = mutation.get("id").asLong();
            boolean isFirst = request.get("mutations").asElements().indexOf(mutation) == 0;
            CommandProcess process = Objects.requireNonNull(running.get());
            if (id == 4 && isFirst && isKilled.compareAndSet(false, true)) {
              Thread.ofVirtual().start(process::close); // while the answer is on its way
            }
            // one at a time; a second time the room is there already
            return isFirst
                ? "{'ops':[{'op':'createRoom','room':'r%1$d'},{'op':'put','key':'k%1$d','value':1}]}"
                    .formatted(id)
                : "";
          });

      boolean isDone = false;
      while (!isDone) {
        try (CommandProcess process = start(application, port)) {
          running.set(process);
          isDone = isPushed(alice, mutations);
          if (isDone) {
            alice.pull();
            assertThat(alice.view()).hasSize(MUTATIONS);
            assertThat(alice.acknowledged()).isEqualTo(MUTATIONS);
            assertThat(
                    client
                        .send(HttpRequest.api("GET", "/rejections").by(client.token("alice")))
                        .body())
                .isEqualTo("{\"rejections\":[]}");
          }
        }
      }

      assertThat(isKilled).isTrue();
    }
  }

  private static boolean isPushed(Replica replica, List<JsonValue> mutations) {
    try {
      replica.push(mutations.toArray(JsonValue[]::new));
      return true;
    } catch (RuntimeException | AssertionError _) {
      return false; // it was killed
    }
  }
}
