package dev.replistream.rules.script;

import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValueException;
import dev.replistream.api.Member;
import dev.replistream.api.Membership;
import dev.replistream.api.RejectedException;
import dev.replistream.api.RejectionCode;
import dev.replistream.api.Role;
import dev.replistream.api.Scan;
import dev.replistream.api.Transaction;
import java.security.SecureRandom;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.UUID;
import org.graalvm.polyglot.Value;
import org.graalvm.polyglot.proxy.ProxyExecutable;
import org.jspecify.annotations.Nullable;

/// What `glue.js` calls: the operations of a transaction, and what else a mutator may ask for.
/// Takes and gives texts, and answers `!code message` where the server refuses. Confined to its
/// context.
final class HostTransaction implements ProxyExecutable {
  /// How long a line of a mutator's log is.
  static final int MAX_LOGGED = 1000;

  /// How many lines a mutation may log.
  private static final int MAX_LINES = 100;

  /// How many small frames have to have room above a mutator's own when the server begins to work.
  private static final int STACK = 512;

  private static final SecureRandom RANDOM = new SecureRandom();

  private final ScriptLog log;
  private Watchdog.@Nullable Watch watch;
  private String mutator = "";
  private @Nullable Transaction transaction;
  private int linesLeft;

  HostTransaction(ScriptLog log) {
    this.log = log;
  }

  /// Begins a mutation.
  void begin(String mutatorName, Transaction of, Watchdog.Watch by) {
    mutator = mutatorName;
    transaction = of;
    watch = by;
    linesLeft = MAX_LINES;
  }

  /// Ends it: what the mutator has kept does nothing any more.
  void end() {
    transaction = null;
  }

  @Override
  public @Nullable Object execute(Value... arguments) {
    String operation = arguments[0].asString();
    return switch (operation) {
      case "console" -> console(arguments);
      case "uuid" -> UUID.randomUUID().toString();
      case "random" -> random(Integer.parseInt(arguments[1].asString()));
      default -> operate(operation, arguments);
    };
  }

  private @Nullable Object console(Value... arguments) {
    if (linesLeft > 0) {
      linesLeft--;
      log.console(mutator, arguments[1].asString(), arguments[2].asString());
    }
    return null;
  }

  private static String random(int count) {
    byte[] bytes = new byte[count];
    RANDOM.nextBytes(bytes);
    char[] text = new char[count];
    for (int i = 0; i < count; i++) {
      text[i] = (char) (bytes[i] & 0xff);
    }
    return new String(text);
  }

  private @Nullable String operate(String operation, Value... arguments) {
    Transaction open = transaction;
    Watchdog.Watch watched = watch;
    requireStack(STACK);
    if (open == null || watched == null || !watched.enterHost()) {
      throw new IllegalStateException("the mutation has ended");
    }
    try {
      return operate(
          arguments[1].asString().equals("all") ? open.unrestricted() : open,
          operation,
          new Texts(arguments));
    } catch (RejectedException e) {
      return "!" + e.code().orElseGet(RejectionCode.REJECTED::code) + " " + e.getMessage();
    } catch (JsonValueException e) {
      return "!" + RejectionCode.BAD_VALUE.code() + " " + e.getMessage();
    } finally {
      watched.leaveHost();
    }
  }

  /// Overflows here, where nothing has begun, rather than amid the work of the database.
  private static void requireStack(int frames) {
    if (frames > 0) {
      requireStack(frames - 1);
    }
  }

  /// The texts of a call, from the third argument on.
  private static final class Texts {
    private final Value[] arguments;

    Texts(Value... arguments) {
      this.arguments = arguments;
    }

    @Nullable String get(int index) {
      Value value = arguments[index + 2];
      return value.isNull() ? null : value.asString();
    }

    String need(int index) {
      return arguments[index + 2].asString();
    }

    Optional<Integer> number(int index) {
      return Optional.ofNullable(get(index))
          .map(text -> (int) Math.min(Long.parseLong(text), Integer.MAX_VALUE));
    }
  }

  private static @Nullable String operate(Transaction tx, String operation, Texts texts) {
    return switch (operation) {
      case "get" -> {
        String room = texts.get(0);
        String key = texts.need(1);
        yield (room == null ? tx.get(key) : tx.get(room, key)).map(JsonValue::toJson).orElse(null);
      }
      case "has" -> {
        String room = texts.get(0);
        String key = texts.need(1);
        yield String.valueOf(room == null ? tx.has(key) : tx.has(room, key));
      }
      case "isEmpty" -> {
        String room = texts.get(0);
        yield String.valueOf(room == null ? tx.isEmpty() : tx.isEmpty(room));
      }
      case "set" -> {
        String room = texts.get(0);
        String key = texts.need(1);
        JsonValue value = JsonValue.parse(texts.need(2));
        if (room == null) {
          tx.put(key, value);
        } else {
          tx.put(room, key, value);
        }
        yield null;
      }
      case "del" -> {
        String room = texts.get(0);
        String key = texts.need(1);
        yield String.valueOf(room == null ? tx.delete(key) : tx.delete(room, key));
      }
      case "scan" -> entries(tx.scan(scan(texts)));
      case "claims" -> tx.claims().toJson();
      case "rooms" -> rooms(tx.rooms());
      case "members" -> members(tx.members(texts.need(0)));
      case "createRoom" -> {
        tx.createRoom(texts.need(0));
        yield null;
      }
      case "deleteRoom" -> {
        tx.deleteRoom(texts.need(0));
        yield null;
      }
      case "putMember" -> {
        tx.putMember(texts.need(0), texts.need(1), role(texts.need(2)));
        yield null;
      }
      case "invite" -> {
        tx.invite(texts.need(0), texts.need(1), role(texts.need(2)));
        yield null;
      }
      case "createLink" -> JsonValue.of(createLink(tx, texts)).toJson();
      case "removeMember" -> String.valueOf(tx.removeMember(texts.need(0), texts.need(1)));
      default -> throw new IllegalArgumentException("no such operation: " + operation);
    };
  }

  private static Scan scan(Texts texts) {
    Scan scan = Scan.prefix(texts.need(1)).limit(texts.number(4).orElseThrow());
    String room = texts.get(0);
    if (room != null) {
      scan = scan.in(room);
    }
    String start = texts.get(2);
    if (start == null) {
      return scan;
    }
    return texts.need(3).equals("after") ? scan.after(start) : scan.from(start);
  }

  private static String entries(List<Transaction.Entry> entries) {
    StringBuilder json = new StringBuilder("[");
    for (Transaction.Entry entry : entries) {
      json.append(json.length() == 1 ? "[" : ",[")
          .append(JsonValue.of(entry.key()).toJson())
          .append(',')
          .append(entry.value().toJson())
          .append(']');
    }
    return json.append(']').toString();
  }

  private static String rooms(List<Membership> rooms) {
    return JsonValue.array(
            rooms.stream()
                .<JsonValue>map(each ->
                    JsonValue.object()
                        .with("id", each.room())
                        .with("role", each.role().label())
                        .build())
                .toList())
        .toJson();
  }

  private static String members(List<Member> members) {
    return JsonValue.array(
            members.stream()
                .<JsonValue>map(each ->
                    JsonValue.object()
                        .with("userId", each.userId())
                        .with("role", each.role().label())
                        .build())
                .toList())
        .toJson();
  }

  private static Role role(String label) {
    return Role.of(label)
        .orElseThrow(() ->
            new RejectedException(
                RejectionCode.BAD_ARGUMENTS, "a role is owner, writer or reader"));
  }

  private static String createLink(Transaction tx, Texts texts) {
    String room = texts.need(0);
    Role role = role(texts.need(1));
    Optional<Integer> seconds = texts.number(2);
    Optional<Integer> uses = texts.number(3);
    if (seconds.isEmpty() && uses.isEmpty()) {
      return tx.createLink(room, role);
    }
    return tx.createLink(
        room,
        role,
        seconds.map(Duration::ofSeconds).orElse(Transaction.LINK_LIFE),
        uses.orElse(Transaction.LINK_USES));
  }
}
