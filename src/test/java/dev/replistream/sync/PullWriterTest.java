package dev.replistream.sync;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.api.Key;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.util.LinkedHashMap;
import java.util.Map;
import org.junit.jupiter.api.Test;

class PullWriterTest {
  private final ByteArrayOutputStream out = new ByteArrayOutputStream();

  private String written() {
    return out.toString(UTF_8);
  }

  @Test
  void anEmptyPatch() {
    PullWriter writer = new PullWriter(out, JsonValue.parse("{\"order\":1}"), Map.of());
    writer.end();

    assertThat(written())
        .isEqualTo("{\"cookie\":{\"order\":1},\"lastMutationIDChanges\":{},\"patch\":[]}");
    assertThat(writer.operations()).isZero();
  }

  @Test
  void operationsComeInTheirOrder() {
    PullWriter writer = new PullWriter(out, JsonValue.of(1), Map.of("c", 7L));
    writer.clear();
    writer.put(Key.of("list/1"), "{ \"n\" : 1.0 }".getBytes(UTF_8));
    writer.put(Key.of("null"), "null".getBytes(UTF_8));
    writer.del(Key.of("\uD800"));
    writer.end();

    assertThat(written())
        .isEqualTo(
            "{\"cookie\":1,\"lastMutationIDChanges\":{\"c\":7},\"patch\":[{\"op\":\"clear\"},"
                + "{\"op\":\"put\",\"key\":\"list/1\",\"value\":{ \"n\" : 1.0 }},"
                + "{\"op\":\"put\",\"key\":\"null\",\"value\":null},"
                + "{\"op\":\"del\",\"key\":\"\\ud800\"}]}");
    assertThat(writer.operations()).isEqualTo(4);
  }

  @Test
  void anyClientIdIsAKeyOfTheChanges() {
    Map<String, Long> changes = new LinkedHashMap<>();
    changes.put("a\"b", 1L);
    changes.put("__proto__", 2L);

    new PullWriter(out, JsonValue.of(1), changes).end();

    assertThat(JsonValue.parse(written()).get("lastMutationIDChanges").toJson())
        .isEqualTo("{\"a\\\"b\":1,\"__proto__\":2}");
  }

  @Test
  void eachOperationLeavesAtOnce() {
    PullWriter writer = new PullWriter(out, JsonValue.of(1), Map.of());
    writer.del(Key.of("a"));

    assertThat(written()).endsWith("\"patch\":[{\"op\":\"del\",\"key\":\"a\"}");
  }

  @Test
  void aClientThatLeftIsNoticed() {
    OutputStream broken =
        new OutputStream() {
          @Override
          public void write(int b) throws IOException {
            throw new IOException("broken pipe");
          }
        };

    assertThatThrownBy(() -> new PullWriter(broken, JsonValue.of(1), Map.of()))
        .isInstanceOf(UncheckedIOException.class);
  }
}
