package dev.replistream.http;

import java.io.ByteArrayOutputStream;
import java.nio.file.Path;
import java.util.function.Consumer;

/// A long answer that is read to its end at once.
public final class WholeAnswer {
  private WholeAnswer() {}

  /// What `writer` writes for a user; at most as much as waits in memory.
  public static byte[] of(String userId, Consumer<Chunks> writer) {
    Chunks chunks = new Chunks(new SpillFiles(Path.of("unused"), 0), userId);
    writer.accept(chunks);
    chunks.end();
    ByteArrayOutputStream answer = new ByteArrayOutputStream();
    do {
      answer.writeBytes(chunks.take());
    } while (!chunks.isDone());
    return answer.toByteArray();
  }
}
