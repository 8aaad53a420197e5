package dev.replistream.nodes;

import java.net.URLDecoder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Where Redis is and how to get in. Immutable; its text has no password.
///
/// - `redis://[user:password@]host[:port][/database]`: one server
/// - `redis+sentinel://[user:password@]sentinel[:port],…/master[/database]`: the master that the
///   sentinels name
/// - `redis+cluster://[user:password@]host[:port],…`: a cluster, by any of its servers
///
/// With `rediss` in place of `redis` over TLS.
///
/// @param hosts at least one
/// @param user for ACLs; empty for the default user
/// @param master the name that the sentinels know it by; empty but for sentinels
public record RedisUrl(
    Kind kind,
    boolean isTls,
    List<Host> hosts,
    Optional<String> user,
    Optional<String> password,
    Optional<String> master,
    int database) {

  private static final Pattern URL =
      Pattern.compile(
          "redis(?<tls>s)?(?<kind>\\+sentinel|\\+cluster)?://(?<authority>[^/?#\\s]+)(?<path>[^?#\\s]*)");

  private static final Pattern HOST =
      Pattern.compile("(\\[[0-9a-fA-F:.]+]|[^:@\\[\\]]+)(?::(\\d{1,5}))?");
  private static final String FORMS =
      "redis://host:6379, redis+sentinel://host:26379,host:26379/master or"
          + " redis+cluster://host:6379,host:6379, or the same with rediss for TLS";

  /// What stands behind the URL.
  public enum Kind {
    /// One server.
    SINGLE(6379),
    /// Sentinels, which know the master.
    SENTINEL(26379),
    /// A cluster.
    CLUSTER(6379);

    private final int port;

    Kind(int port) {
      this.port = port;
    }
  }

  /// A server's address.
  ///
  /// @param port 1 to 65,535
  public record Host(String name, int port) {}

  /// Reads a URL.
  ///
  /// @throws IllegalArgumentException when it is none of the forms above; its message says what is
  ///   expected, and nothing of what is in the URL
  public static RedisUrl parse(String text) {
    Matcher url = URL.matcher(text);
    if (!url.matches()) {
      throw bad("a URL such as " + FORMS);
    }
    Kind kind =
        switch (url.group("kind")) {
          case "+sentinel" -> Kind.SENTINEL;
          case "+cluster" -> Kind.CLUSTER;
          case null, default -> Kind.SINGLE;
        };
    String authority = url.group("authority");
    int at = authority.lastIndexOf('@');
    String[] login = at < 0 ? new String[] {} : authority.substring(0, at).split(":", 2);
    List<Host> hosts =
        Arrays.stream(authority.substring(at + 1).split(",", -1))
            .map(host -> host(host, kind))
            .toList();
    if (kind == Kind.SINGLE && hosts.size() > 1) {
      throw bad("one host, or redis+sentinel or redis+cluster before several");
    }
    List<String> path =
        Arrays.stream(url.group("path").split("/", -1)).filter(part -> !part.isEmpty()).toList();
    boolean hasMaster = kind == Kind.SENTINEL;
    if (hasMaster && path.isEmpty()) {
      throw bad("the master's name after the sentinels, as in redis+sentinel://host:26379/master");
    }
    List<String> rest = hasMaster ? path.subList(1, path.size()) : path;
    if (rest.size() > (kind == Kind.CLUSTER ? 0 : 1)
        || !rest.stream().allMatch(part -> part.matches("\\d{1,4}"))) {
      throw bad(
          "a URL such as " + FORMS + ", and the number of a database at the end of the first two");
    }
    return new RedisUrl(
        kind,
        url.group("tls") != null,
        hosts,
        Optional.ofNullable(login.length == 2 ? login[0] : null)
            .filter(name -> !name.isEmpty())
            .map(RedisUrl::decoded),
        login.length == 0 ? Optional.empty() : Optional.of(decoded(login[login.length - 1])),
        hasMaster ? Optional.of(path.getFirst()) : Optional.empty(),
        rest.isEmpty() ? 0 : Integer.parseInt(rest.getFirst()));
  }

  private static Host host(String text, Kind kind) {
    Matcher matcher = HOST.matcher(text);
    if (!matcher.matches()) {
      throw bad("hosts such as redis.example.com:6379, with commas between several");
    }
    int port = matcher.group(2) == null ? kind.port : Integer.parseInt(matcher.group(2));
    if (port < 1 || port > 65_535) {
      throw bad("a port from 1 to 65535");
    }
    return new Host(matcher.group(1), port);
  }

  /// A plus is a plus here (RFC 3986, section 2).
  private static String decoded(String text) {
    try {
      return URLDecoder.decode(text.replace("+", "%2B"), StandardCharsets.UTF_8);
    } catch (IllegalArgumentException _) { // whose message has a part of the text
      throw bad("%25 in place of % in the user and the password");
    }
  }

  private static IllegalArgumentException bad(String expectation) {
    return new IllegalArgumentException(expectation);
  }

  @Override
  public String toString() {
    return "%s:%s".formatted(kind, hosts);
  }
}
