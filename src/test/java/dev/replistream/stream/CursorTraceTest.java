package dev.replistream.stream;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.LogCapture;
import dev.replistream.poke.Cursor;
import dev.replistream.poke.CursorFile;
import dev.replistream.poke.EventId;
import dev.replistream.poke.LocalPokeBus;
import dev.replistream.poke.PokeBus;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// Random histories of pokes, clients, stops, crashes, and what an operator does meanwhile to the
/// file and to the database, against a model that knows what each client has been told of.
class CursorTraceTest {
  private static final MeterRegistry METERS = Services.get(MetricsFactory.class).globalRegistry();
  private static final StreamSettings SETTINGS =
      new StreamSettings(
          Duration.ofHours(1), Duration.ofSeconds(2), Duration.ofSeconds(10), Duration.ZERO, 9, 9);
  private static final int USERS = 6;
  private static final int CLIENTS = 9;
  private static final int STEPS = 200;

  @TempDir private Path directory;

  @Test
  void whoMissedAPokeIsToldWhateverHappenedAndHoweverManyUsersAreForgotten() throws IOException {
    long firstSeed = System.nanoTime();
    for (long seed = firstSeed; seed < firstSeed + 60; seed++) {
      new Trace(seed, 1, Files.createTempDirectory(directory, "trace")).run();
    }
  }

  @Test
  void whoMissedNothingIsToldNothingAsLongAsNobodyIsForgotten() throws IOException {
    long firstSeed = System.nanoTime();
    for (long seed = firstSeed; seed < firstSeed + 60; seed++) {
      new Trace(seed, 1_000, Files.createTempDirectory(directory, "trace")).run();
    }
  }

  /// What the database holds.
  private static final class Data {
    /// What its last clean stop left in it, "" where it was taken.
    final String mark;

    /// The number of the last write that each user should have been poked for.
    final int[] news;

    Data(String mark, int[] news) {
      this.mark = mark;
      this.news = news;
    }

    Data copy() {
      return new Data(mark, news.clone());
    }
  }

  /// All files at a time when the service was stopped.
  private static final class Backup {
    final byte @Nullable [] file;
    final Data data;

    Backup(byte @Nullable [] file, Data data) {
      this.file = file;
      this.data = data;
    }
  }

  /// A client's memory.
  private static final class Client {
    final int user;
    @Nullable String lastEventId;
    boolean isConnected;

    /// The write that it was last poked for, or that there was when it first came.
    int told;

    Client(int user) {
      this.user = user;
    }
  }

  private static final class Trace {
    private final SplittableRandom random;
    private final int generationSize;
    private final Path directory;
    private final CursorFile cursorFile;
    private final List<Client> clients =
        IntStream.range(0, CLIENTS).mapToObj(i -> new Client(i % USERS)).toList();
    private final List<String> history = new ArrayList<>();
    private final List<Backup> backups = new ArrayList<>();
    private Data data = new Data("", new int[USERS]);
    private int writes;
    private int marks;
    private Cursor cursor;
    private PokeBus bus;
    private SseManager manager;

    Trace(long seed, int generationSize, Path directory) {
      this.random = new SplittableRandom(seed);
      this.generationSize = generationSize;
      this.directory = directory;
      cursorFile = new CursorFile(directory);
      history.add("seed " + seed);
      cursor = new Cursor("e" + seed, generationSize);
      bus = new LocalPokeBus(cursor, METERS);
      manager = manager();
    }

    private SseManager manager() {
      try (StreamMetrics metrics = new StreamMetrics(METERS)) {
        return MemoryService.manager(SETTINGS, bus, metrics);
      }
    }

    void run() throws IOException {
      for (int step = 0; step < STEPS; step++) {
        switch (random.nextInt(20)) {
          case 0, 1 -> restart();
          case 2, 3, 4, 5, 6, 7, 8 -> write(random.nextInt(USERS));
          default -> comeOrGo(clients.get(random.nextInt(CLIENTS)));
        }
      }
      manager.close();
    }

    private void write(int user) {
      data.news[user] = ++writes;
      history.add("write " + writes + " of user " + user);
      long stamp = cursor.stamp("user-" + user);
      for (Client client : clients) {
        if (client.isConnected && client.user == user) {
          client.told = writes;
          client.lastEventId = new EventId(cursor.epoch(), stamp).toString();
        }
      }
    }

    private void comeOrGo(Client client) {
      if (client.isConnected) {
        client.isConnected = false;
        return;
      }
      int news = data.news[client.user];
      String lastEventId = client.lastEventId;
      SseManager.Resume resume = manager.resume("user-" + client.user, lastEventId);
      history.add(
          "client %d of user %d, told of %d, comes with %s: %s"
              .formatted(
                  clients.indexOf(client),
                  client.user,
                  client.told,
                  lastEventId,
                  resume.catchUp() == null ? "nothing" : "sync " + resume.toldStamp()));
      if (lastEventId == null) {
        assertThat(resume.catchUp()).as("%s", this).isNull();
        client.told = news;
      } else if (client.told != news || !lastEventId.startsWith(cursor.epoch() + "-")) {
        assertThat(resume.catchUp()).as("%s", this).isNotNull();
      } else if (generationSize >= USERS) {
        assertThat(resume.catchUp()).as("%s", this).isNull();
      }
      client.lastEventId = resume.id().toString();
      client.isConnected = resume.catchUp() == null || random.nextInt(4) > 0;
      if (resume.catchUp() != null && client.isConnected) { // else it lost the connection before
        client.lastEventId = new EventId(cursor.epoch(), resume.toldStamp()).toString();
        client.told = news;
      }
    }

    private void restart() throws IOException {
      clients.forEach(client -> client.isConnected = false);
      String epoch = cursor.epoch();
      boolean isKept = false;
      if (random.nextInt(4) == 0) {
        history.add("crash");
        if (random.nextInt(4) == 0 && !backups.isEmpty()) {
          putBack(Objects.requireNonNull(oneBackup()).file);
        }
      } else {
        stop();
        isKept = whileItIsStopped();
      }
      manager.close();
      try (LogCapture _ = new LogCapture()) {
        start();
      }
      history.add("start in " + cursor.epoch());
      if (isKept) {
        assertThat(cursor.epoch()).as("%s", this).isEqualTo(epoch);
      }
    }

    private void stop() {
      history.add("stop");
      data = new Data("mark-" + ++marks, data.news);
      cursorFile.write(cursor.close(), data.mark);
    }

    private void start() {
      String mark = data.mark;
      data = new Data("", data.news);
      cursor = cursorFile.take(mark, generationSize);
      bus = new LocalPokeBus(cursor, METERS);
      manager = manager();
    }

    private byte @Nullable [] file() throws IOException {
      Path file = directory.resolve("cursor");
      return Files.exists(file) ? Files.readAllBytes(file) : null;
    }

    private void putBack(byte @Nullable [] file) throws IOException {
      Files.deleteIfExists(directory.resolve("cursor"));
      if (file != null) {
        Files.write(directory.resolve("cursor"), file);
      }
    }

    private @Nullable Backup oneBackup() {
      return backups.isEmpty() ? null : backups.get(random.nextInt(backups.size()));
    }

    /// @return whether the next start has to go on from this stop
    private boolean whileItIsStopped() throws IOException {
      Backup backup = oneBackup();
      switch (random.nextInt(12)) {
        case 0, 1 -> {
          history.add("backup");
          backups.add(new Backup(file(), data.copy()));
        }
        case 2 -> {
          history.add("a start that fails");
          try (LogCapture _ = new LogCapture()) {
            start();
          }
          stop();
          manager.close();
        }
        case 3 -> {
          history.add("another process");
          data.news[random.nextInt(USERS)] = ++writes;
          data = new Data("", data.news);
          return false;
        }
        case 4 -> {
          history.add("a damaged file");
          byte[] bytes = Objects.requireNonNull(file());
          bytes[random.nextInt(bytes.length)] ^= (byte) (1 << random.nextInt(8));
          putBack(random.nextBoolean() ? bytes : Arrays.copyOf(bytes, bytes.length / 2));
          return false;
        }
        case 5 -> {
          if (backup != null) {
            history.add("an old file");
            putBack(backup.file);
            return false;
          }
        }
        case 6 -> {
          if (backup != null) {
            history.add("an old database");
            data = backup.data.copy();
            return false;
          }
        }
        case 7 -> {
          if (backup != null) {
            history.add("an old file and its database");
            putBack(backup.file);
            data = backup.data.copy();
            return false;
          }
        }
        default -> {}
      }
      return true;
    }

    @Override
    public String toString() {
      return String.join("\n", history);
    }
  }
}
