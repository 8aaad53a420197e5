package dev.replistream.cli;

import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Random;

/// A random stream of events, written in one of the many ways that the format allows, with the
/// events that a reader must find in it.
///
/// @param text as it goes over the network, in UTF-8
/// @param events what a reader finds
/// @param lastEventId what it would send when it comes back
record RandomStream(String text, List<ServerSentEvent> events, String lastEventId) {
  private static final String[] WORDS = {
    "sync", "ping", "a b", "", " ", "x:y", "é", "€uro", "😀", "\uFEFF"
  };
  private static final int MAX_EVENTS = 8;
  private static final int MAX_LINES = 4;

  byte[] bytes() {
    return text.getBytes(StandardCharsets.UTF_8);
  }

  static RandomStream of(Random random) {
    Writer writer = new Writer(random);
    List<ServerSentEvent> events = new ArrayList<>();
    String lastEventId = "";
    if (random.nextBoolean()) {
      writer.text.append('\uFEFF');
    }
    int count = random.nextInt(MAX_EVENTS);
    for (int i = 0; i < count; i++) {
      Optional<String> id = Optional.empty();
      Optional<Duration> retry = Optional.empty();
      String type = "message";
      writer.noise();
      if (random.nextBoolean()) {
        id = Optional.of("e-" + random.nextInt(1000));
        lastEventId = id.get();
        writer.field("id", id.get());
      }
      writer.noise();
      if (random.nextInt(4) == 0) {
        retry = Optional.of(Duration.ofMillis(random.nextInt(100_000)));
        writer.field("retry", Long.toString(retry.get().toMillis()));
      }
      if (random.nextInt(4) == 0) {
        type = "type" + random.nextInt(10);
        writer.field("event", type);
      }
      List<String> lines = new ArrayList<>();
      int lineCount = random.nextInt(MAX_LINES);
      for (int j = 0; j < lineCount; j++) {
        String line = WORDS[random.nextInt(WORDS.length)] + WORDS[random.nextInt(WORDS.length)];
        lines.add(line);
        writer.field("data", line);
        writer.noise();
      }
      writer.endEvent();
      if (!lines.isEmpty()) {
        events.add(new ServerSentEvent(id, type, String.join("\n", lines), retry));
      }
    }
    return new RandomStream(writer.text.toString(), List.copyOf(events), lastEventId);
  }

  private static final class Writer {
    private final Random random;
    private final StringBuilder text = new StringBuilder();

    Writer(Random random) {
      this.random = random;
    }

    void field(String name, String value) {
      boolean space = value.startsWith(" ") || random.nextBoolean();
      line(value.isEmpty() && random.nextBoolean() ? name : name + (space ? ": " : ":") + value);
    }

    /// Something that means nothing, or nothing.
    void noise() {
      switch (random.nextInt(6)) {
        case 0 -> line(": comment");
        case 1 -> line("unknown: field");
        case 2 -> line("retry: soon");
        default -> {}
      }
    }

    void endEvent() {
      line("");
    }

    private void line(String line) {
      // after a lone carriage return, a lone line feed would be the other half of that end
      boolean half = line.isEmpty() && !text.isEmpty() && text.charAt(text.length() - 1) == '\r';
      text.append(line)
          .append(
              switch (random.nextInt(3)) {
                case 0 -> half ? "\r" : "\n";
                case 1 -> "\r";
                default -> "\r\n";
              });
    }
  }
}
