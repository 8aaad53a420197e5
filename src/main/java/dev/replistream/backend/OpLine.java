package dev.replistream.backend;

import com.fasterxml.jackson.core.JsonGenerator;
import dev.replistream.data.JournalStore;
import dev.replistream.data.Spaces;
import dev.replistream.json.Json;
import dev.replistream.rules.Op;
import java.io.IOException;
import java.time.Instant;
import java.util.List;

/// What the journal says of what a backend service has written. Stateless.
final class OpLine {
  /// Of more than so many characters of values the ops are left out: whoever follows the journal is
  /// to read what was written.
  private static final int MAX_LENGTH = 64 << 10;

  private static final int LENGTH_OF_OP = 100;

  private OpLine() {}

  /// A line.
  ///
  /// @param spaces what was written in
  static JournalStore.Line of(String userId, List<Op> ops, Spaces spaces, Instant now) {
    boolean hasOps = ops.stream().mapToLong(OpLine::length).sum() <= MAX_LENGTH;
    return new JournalStore.Line(
        userId,
        now,
        Json.write(json -> {
          json.writeStartObject();
          json.writeStringField("at", Json.timestamp(now));
          json.writeStringField("kind", "transaction");
          json.writeStringField("userId", userId);
          if (hasOps) {
            json.writeArrayFieldStart("ops");
            for (Op op : ops) {
              json.writeStartObject();
              write(op, json);
              json.writeEndObject();
            }
            json.writeEndArray();
          }
          json.writeStringField("outcome", "applied");
          json.writeFieldName("spaces");
          Spaces.writeVersions(json, spaces.writtenForLine());
          json.writeEndObject();
        }));
  }

  private static long length(Op op) {
    return LENGTH_OF_OP
        + switch (op) {
          case Op.Put put -> (long) put.key().length() + put.json().length();
          case Op.Patch patch -> (long) patch.key().length() + patch.json().length();
          case Op.Del del -> del.key().length();
          default -> 0;
        };
  }

  private static void write(Op op, JsonGenerator json) throws IOException {
    switch (op) {
      case Op.Put put -> {
        begin("put", put.place(), json);
        json.writeStringField("key", put.key());
        json.writeFieldName("value");
        Json.embed(json, put.json());
      }
      case Op.Patch patch -> {
        begin("patch", patch.place(), json);
        json.writeStringField("key", patch.key());
        json.writeFieldName("merge");
        Json.embed(json, patch.json());
        json.writeBooleanField("create", patch.create());
      }
      case Op.Del del -> {
        begin("del", del.place(), json);
        json.writeStringField("key", del.key());
      }
      case Op.CreateRoom create -> {
        json.writeStringField("op", "createRoom");
        json.writeStringField("room", create.room());
        if (create.owner().isPresent()) {
          json.writeStringField("owner", create.owner().get());
        }
      }
      case Op.DeleteRoom delete -> {
        json.writeStringField("op", "deleteRoom");
        json.writeStringField("room", delete.room());
      }
      case Op.PutMember put -> {
        json.writeStringField("op", "putMember");
        json.writeStringField("room", put.room());
        json.writeStringField("userId", put.userId());
        json.writeStringField("role", put.role().label());
      }
      case Op.RemoveMember remove -> {
        json.writeStringField("op", "removeMember");
        json.writeStringField("room", remove.room());
        json.writeStringField("userId", remove.userId());
      }
    }
  }

  private static void begin(String name, Op.Place place, JsonGenerator json) throws IOException {
    json.writeStringField("op", name);
    if (place.room().isPresent()) {
      json.writeStringField("room", place.room().get());
    }
    if (place.user().isPresent()) {
      json.writeStringField("user", place.user().get());
    }
  }
}
