package dev.replistream.nodes;

import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.time.Duration;

/// What nodes send each other through Redis: each message is a word, and then what that needs, with
/// spaces between. Stateless.
final class RedisMessages {
  private static final Logger LOGGER = System.getLogger(RedisMessages.class.getName());

  private final RedisConnection redis;
  private final RedisNodes nodes;
  private final RedisPokeBus bus;

  /// Brings each message to whom it concerns.
  RedisMessages(RedisConnection redis, RedisNodes nodes, RedisPokeBus bus) {
    this.redis = redis;
    this.nodes = nodes;
    this.bus = bus;
  }

  /// Takes a message of another node.
  void received(String message) {
    try {
      String[] parts = message.split(" ", 4);
      switch (parts[0]) {
        case "poke" ->
            bus.received(
                parts[3], Long.parseLong(parts[1]), Duration.ofMillis(Long.parseLong(parts[2])));
        case "tell" -> {
          if (!parts[1].equals(redis.node())) {
            nodes.told(parts[2], parts[3]);
          }
        }
        case "ask" -> {
          String[] question = parts[3].split(" ", 2);
          nodes.asked(parts[1], parts[2], question[0], question[1]);
        }
        case "answer" -> nodes.answered(Long.parseLong(parts[1]), message.split(" ", 3)[2]);
        case RedisCommands.RECOVER -> {
          if (!parts[1].equals(redis.node())) {
            redis.outage().mustBeMended();
          }
        }
        case "gone" -> nodes.topologyChanged(); // a node, with those who were present there
        default -> {} // of a later release
      }
    } catch (RuntimeException e) { // one bad message must not end the subscription
      LOGGER.log(Level.ERROR, "event=error where=redis-message", e);
    }
  }
}
