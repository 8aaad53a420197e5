package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.poke.PokeBusRules;
import java.io.IOException;
import java.nio.file.DirectoryStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.TreeSet;
import java.util.UUID;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import redis.clients.jedis.Jedis;

/// Two nodes that meet in Redis as a user with the rights that docs/cluster.md names and no other.
class RedisPokeBusAsUserTest extends TwoNodes implements PokeBusRules, NodesRules {
  private static final Pattern CALL = Pattern.compile("redis\\.p?call\\('([A-Z]+)'");

  private static TestRedis redis;
  private static List<String> rules;
  private final String prefix = UUID.randomUUID().toString();

  @BeforeAll
  static void start() throws IOException {
    redis = TestRedis.start();
    rules =
        Files.readAllLines(Path.of("docs/cluster.md")).stream()
            .map(String::strip)
            .filter(line -> line.startsWith("ACL SETUSER replistream "))
            .flatMap(line -> Arrays.stream(line.split(" ")).skip(3))
            .toList();
    assertThat(rules).contains("~replistream:*", "&replistream:*");
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  /// Gives the user of this test, who has the name of its prefix, these rights.
  private void allow(Stream<String> some) {
    try (Jedis admin = new Jedis("127.0.0.1", redis.port())) {
      admin.aclSetUser(
          prefix,
          some.map(rule -> rule.replace("replistream:", prefix + ":")).toArray(String[]::new));
    }
  }

  private String url(String password) {
    return "redis://%s:%s@127.0.0.1:%d".formatted(prefix, password, redis.port());
  }

  private RedisNode node(String password) {
    return new RedisNode(url(password), prefix);
  }

  @Override
  protected List<RedisNode> open() {
    allow(rules.stream());
    return List.of(
        RedisNode.open(url("PASSWORD"), prefix), RedisNode.open(url("PASSWORD"), prefix));
  }

  private static Stream<String> commands() {
    return rules.stream().filter(rule -> rule.startsWith("+") && !rule.equals("+info"));
  }

  @Test
  void theRightsThatTheDocumentationNamesAreEnough() {
    assertThat(node("PASSWORD").refusal()).isEmpty();

    allow(Stream.of("-info"));
    assertThat(node("PASSWORD").refusal()).isEmpty();
  }

  @Test
  void eachRightThatIsMissingIsNamed() {
    List<String> silent =
        commands()
            .filter(rule -> {
              allow(Stream.of(rule.replace('+', '-')));
              String refusal = node("PASSWORD").refusal().orElse("");
              allow(Stream.of(rule));
              return !refusal.contains(
                  rule.equals("+eval") ? "'eval'" : rule.substring(1).toUpperCase(Locale.ROOT));
            })
            .toList();

    assertThat(silent).isEmpty();
  }

  @Test
  void noRightOfKeysOrChannelsIsARefusal() {
    allow(Stream.of("resetkeys"));
    assertThat(node("PASSWORD").refusal()).get().asString().startsWith("NOPERM ");

    allow(Stream.of("~replistream:*", "resetchannels"));
    assertThat(node("PASSWORD").refusal())
        .contains("the user may not PUBLISH SUBSCRIBE within " + prefix + ":*");
  }

  @Test
  void whatTheScriptsDoIsWhatTheDocumentationAllows() throws IOException {
    Set<String> called = new TreeSet<>(Set.of("EVAL", "EVALSHA", "PUBLISH", "SUBSCRIBE"));
    try (DirectoryStream<Path> scripts =
        Files.newDirectoryStream(Path.of("src/main/resources/redis"))) {
      for (Path script : scripts) {
        CALL.matcher(Files.readString(script)).results().forEach(call -> called.add(call.group(1)));
      }
    }

    assertThat(Stream.concat(commands(), Stream.of("+info")))
        .containsExactlyInAnyOrderElementsOf(
            called.stream()
                .map(name -> "+" + name.toLowerCase(Locale.ROOT))
                .collect(Collectors.toSet()));
  }

  @Test
  void aWrongPasswordIsARefusalWithoutIt() {
    assertThat(node("secret").refusal())
        .get()
        .asString()
        .startsWith("WRONGPASS ")
        .doesNotContain("secret");
  }
}
