package dev.replistream;

import dev.replistream.auth.AuthSettings;
import dev.replistream.data.RoomSettings;
import dev.replistream.data.StorageSettings;
import dev.replistream.db.DbSettings;
import dev.replistream.http.Hosts;
import dev.replistream.http.Network;
import dev.replistream.http.UrlHost;
import dev.replistream.http.wire.Deadlines;
import dev.replistream.nodes.RedisSettings;
import dev.replistream.nodes.RedisUrl;
import dev.replistream.rules.http.HttpRulesSettings;
import dev.replistream.rules.http.WebhookSecret;
import dev.replistream.rules.script.ScriptSettings;
import dev.replistream.stream.StreamSettings;
import dev.replistream.sync.SyncSettings;
import dev.replistream.web.WebSettings;
import java.net.InetAddress;
import java.net.MalformedURLException;
import java.net.URI;
import java.net.URISyntaxException;
import java.net.UnknownHostException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.InvalidPathException;
import java.nio.file.Path;
import java.time.Duration;
import java.time.format.DateTimeParseException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.Set;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// Everything that can be configured, read once at the start and valid from then on. Immutable.
///
/// @param host the address to listen on
/// @param port the port of the API, 0 for any free one
/// @param adminHost the address where health and metrics are
/// @param adminPort the port of health and metrics, 0 for any free one
/// @param dataDir where the server keeps its files
/// @param auth who may call
/// @param stream the streams
/// @param http limits of single requests
/// @param limits what strangers and users may take of the node
/// @param db where the data are kept
/// @param sync the limits of push and pull
/// @param mutators the application's mutators
/// @param rooms the limits of rooms
/// @param storage how much of the disk users and rooms may take
/// @param redis how nodes meet, where there are several
/// @param journalRetention how long the journal is kept; zero for none
/// @param presenceGrace how long a user without connections still counts as present
/// @param allowOrigins the web origins that may call, or `*`
/// @param allowHeaders what headers their pages may send, beside those that every client needs
/// @param web what a browser is shown
/// @param logLevel the least level that is logged
record ServiceSettings(
    String host,
    int port,
    String adminHost,
    int adminPort,
    Path dataDir,
    AuthSettings auth,
    StreamSettings stream,
    Http http,
    Limits limits,
    DbSettings db,
    SyncSettings sync,
    Mutators mutators,
    RoomSettings rooms,
    StorageSettings storage,
    Optional<RedisSettings> redis,
    Duration journalRetention,
    Duration presenceGrace,
    List<String> allowOrigins,
    List<String> allowHeaders,
    WebSettings web,
    System.Logger.Level logLevel)
    implements Settings {

  private static final String ROOT = "replistream.";
  private static final String ENVIRONMENT_ROOT = "REPLISTREAM_";

  /// Every key that may stand in a file, without the leading `replistream.`.
  static final Set<String> KEYS =
      Set.of(
          "host",
          "port",
          "admin-host",
          "admin-port",
          "data-dir",
          "auth.secret",
          "auth.jwks",
          "auth.issuer",
          "auth.audience",
          "auth.clock-skew",
          "auth.jwks-refresh",
          "auth.jwks-refresh-cool-down",
          "auth.revocation-life",
          "stream.ping-interval",
          "stream.retry",
          "stream.write-timeout",
          "stream.drain",
          "stream.max-connections",
          "stream.max-connections-per-user",
          "http.head-timeout",
          "http.body-timeout",
          "http.idle-timeout",
          "http.max-body",
          "http.hosts",
          "http.trusted-proxies",
          "limits.strangers-per-address",
          "limits.inflight-bytes",
          "limits.pokes-per-second",
          "limits.pushes-per-second",
          "limits.tickets-per-second",
          "limits.rooms-per-second",
          "limits.invitations-per-second",
          "limits.refused-tokens-per-second",
          "limits.storage-per-user",
          "limits.storage-per-room",
          "db.url",
          "db.user",
          "db.password",
          "db.pool-size",
          "sync.max-body",
          "sync.max-args",
          "sync.max-value",
          "sync.tombstone-max-age",
          "sync.client-max-age",
          "sync.compaction-interval",
          "sync.schema-versions",
          "mutators.file",
          "mutators.built-in",
          "mutators.max-cpu",
          "mutators.max-memory",
          "mutators.max-statements",
          "mutators.url",
          "mutators.secret",
          "mutators.timeout",
          "rooms.max-per-user",
          "rooms.max-members",
          "rooms.max-invitations",
          "rooms.max-invitations-per-user",
          "rooms.max-links",
          "rooms.membership",
          "redis.url",
          "redis.prefix",
          "journal.retention",
          "presence.grace",
          "cors.allow-origins",
          "cors.allow-headers",
          "console",
          "demo.replicache",
          "log.level");

  /// Those of them that take several values: a list in a file, with commas in the environment.
  static final Set<String> LISTS =
      Set.of(
          "http.hosts",
          "http.trusted-proxies",
          "sync.schema-versions",
          "cors.allow-origins",
          "cors.allow-headers");

  /// What a JVM puts in the place of a byte that it can't read, as all are beyond ASCII where the
  /// locale is POSIX: a secret with it would be easy to guess.
  static final char UNREADABLE = '\uFFFD';

  private static final Path REPLICACHE_PACKAGE = Path.of("./node_modules/replicache");

  /// Whoever tests this source tree has the package there.
  private static final Path REPLICACHE_PACKAGE_OF_TESTS =
      Path.of("./src/test/js/node_modules/replicache");

  /// Read by the command line, not by the server; a server started beside it must not mind them.
  private static final Set<String> COMMAND_LINE_VARIABLES =
      Set.of("REPLISTREAM_TOKEN", "REPLISTREAM_URL", "REPLISTREAM_CONFIG");

  /// What Kubernetes sets in every pod beside services named `replistream` and `replistream-admin`,
  /// to name its variables and values.
  private static final Pattern ORIGIN =
      Pattern.compile(
          "(?<site>(?<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9_.-]+|\\[[0-9a-f:.]+]))"
              + "(?::(?<port>[0-9]{1,5}))?");

  /// A token (RFC 9110, section 5.6.2); a `*` alone would not mean the header of that name.
  private static final Pattern HEADER_NAME =
      Pattern.compile("(?!\\*$)[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}");

  private static final Pattern SERVICE_LINK =
      Pattern.compile(
          "REPLISTREAM_(.+_)?(SERVICE_(HOST|PORT.*)|PORT_\\d+_.*)=.*"
              + "|REPLISTREAM_(.+_)?PORT=(tcp|udp|sctp)://.*",
          Pattern.DOTALL);

  private static final Pattern TYPE_SCRIPT = Pattern.compile("\\.[cm]?tsx?$");

  /// 1 PiB.
  private static final long MOST_STORAGE = 1L << 50;

  private static final int MAX_PORT = 65_535;

  private static final Duration DRAIN = Duration.ofSeconds(10);

  /// The tokens that this program signs for its users live as long.
  private static final Duration SHORTEST_REVOCATION = Duration.ofHours(8);

  /// Limits of single requests.
  ///
  /// @param headTimeout from a request's first byte to the end of its head
  /// @param bodyTimeout from the end of the head to the end of the body
  /// @param idleTimeout how long a connection may wait between two requests
  /// @param maxBodyBytes the largest body of a request that is no push and no pull
  /// @param hosts the names by which clients may call this server, without ports; none for any
  /// @param trustedProxies the networks whose word for a client's address counts
  record Http(
      Duration headTimeout,
      Duration bodyTimeout,
      Duration idleTimeout,
      int maxBodyBytes,
      List<String> hosts,
      List<Network> trustedProxies) {}

  /// What strangers and users may take of the node.
  ///
  /// @param strangersPerAddress how many connections of one address may wait for their first
  ///   authenticated request; 0 for any number
  /// @param inflightBytes how many bytes of bodies may be read and applied at a time; none for a
  ///   share of the heap
  /// @param pokesPerSecond how many a user may poke in a second, who is no backend service; 0 for
  ///   any number, as in those below
  /// @param pushesPerSecond how often a user may push in a second
  /// @param ticketsPerSecond how many tickets a user may get in a second
  /// @param roomsPerSecond how often a user may change rooms and their members in a second
  /// @param invitationsPerSecond how many users a user may invite in a second
  /// @param refusedTokensPerSecond how many tokens of one address that do not verify are looked at
  ///   in a second
  record Limits(
      int strangersPerAddress,
      OptionalLong inflightBytes,
      int pokesPerSecond,
      int pushesPerSecond,
      int ticketsPerSecond,
      int roomsPerSecond,
      int invitationsPerSecond,
      int refusedTokensPerSecond) {}

  /// The application's mutators.
  ///
  /// @param script those in JavaScript, if there is a file of them
  /// @param http those over HTTP, if there are any
  /// @param builtIn whether there are the built-in ones, where that is said
  record Mutators(
      Optional<ScriptSettings> script,
      Optional<HttpRulesSettings> http,
      Optional<Boolean> builtIn) {}

  /// The deadlines of a connection.
  Deadlines deadlines() {
    return new Deadlines(
        http.idleTimeout(), http.headTimeout(), http.bodyTimeout(), stream.writeTimeout());
  }

  /// Reads the defaults, then the file, then the environment, each over the one before.
  ///
  /// @param file a YAML file, whatever its name, if one was named
  /// @param environment the process's environment
  /// @throws SettingsException when a key is unknown or empty or a value is bad; its message names
  ///   the key
  static ServiceSettings load(Optional<Path> file, Map<String, String> environment) {
    Map<String, String> values = new HashMap<>(SettingsFile.defaults(KEYS, LISTS));
    file.ifPresent(path -> values.putAll(SettingsFile.read(path, KEYS, LISTS)));
    values.putAll(fromEnvironment(environment));
    return new Reader(values).settings();
  }

  /// The defaults alone, in development mode.
  static ServiceSettings defaultSettings() {
    return load(Optional.empty(), Map.of());
  }

  private static Map<String, String> fromEnvironment(Map<String, String> environment) {
    Map<String, String> keyOfVariable =
        KEYS.stream().collect(Collectors.toMap(ServiceSettings::variable, Function.identity()));
    Map<String, String> values = new HashMap<>();
    environment.forEach((variable, value) -> {
      boolean foreign =
          !variable.startsWith(ENVIRONMENT_ROOT)
              || COMMAND_LINE_VARIABLES.contains(variable)
              || SERVICE_LINK.matcher(variable + "=" + value).matches();
      if (!foreign) {
        String key = keyOfVariable.get(variable);
        if (key == null) {
          throw new SettingsException(
              variable + ": no such setting" + Suggestion.of(variable, keyOfVariable.keySet()));
        }
        if (value.isBlank()) {
          throw new SettingsException(
              "%s%s: %s is empty in the environment: unset it, or give it a value"
                  .formatted(ROOT, key, variable));
        }
        if (value.indexOf(UNREADABLE) >= 0) {
          throw new SettingsException(
              "%s%s: %s has letters that this process can't read: start it with LC_ALL=C.UTF-8"
                  .formatted(ROOT, key, variable));
        }
        values.put(key, value);
      }
    });
    return values;
  }

  /// The environment variable of a key: capitals, with dots and dashes as underscores.
  static String variable(String key) {
    return ENVIRONMENT_ROOT + key.toUpperCase(Locale.ROOT).replace('.', '_').replace('-', '_');
  }

  /// Turns texts into values, and names the key when one does not fit.
  private record Reader(Map<String, String> values) {
    private static final String NOT_FOR_SQLITE =
        "is for PostgreSQL, and replistream.db.url names a file of SQLite";

    ServiceSettings settings() {
      AuthSettings auth =
          new AuthSettings(
              text("auth.secret"),
              text("auth.jwks"),
              text("auth.issuer"),
              text("auth.audience"),
              duration("auth.clock-skew", Duration.ZERO, Duration.ofMinutes(10)),
              duration("auth.jwks-refresh", Duration.ofMillis(10), Duration.ofDays(1)),
              duration("auth.jwks-refresh-cool-down", Duration.ofMillis(10), Duration.ofHours(1)),
              duration("auth.revocation-life", SHORTEST_REVOCATION, Duration.ofDays(36_525)));
      auth.secret()
          .ifPresent(secret ->
              check(
                  secret.getBytes(StandardCharsets.UTF_8).length >= 32,
                  "auth.secret",
                  "HS256 needs at least 32 bytes (RFC 7518, section 3.2)"));
      check(
          auth.secret().isEmpty() || auth.jwks().isEmpty(),
          "auth.jwks",
          "give either this or replistream.auth.secret, not both");
      String host = host("host").orElse(auth.isDevelopmentMode() ? "127.0.0.1" : "0.0.0.0");
      if (auth.isDevelopmentMode()) {
        check(
            isLoopback(host),
            "host",
            "without replistream.auth.secret or replistream.auth.jwks the server is in development"
                + " mode and serves 127.0.0.1 only, not "
                + host);
      }
      Path dataDir = directory("data-dir", required("data-dir"));
      DbSettings db = db(dataDir);
      Optional<RedisSettings> redis = redis();
      check(
          redis.isEmpty() || db.isPostgres(),
          "redis.url",
          "it is for several nodes, which share a PostgreSQL: name that in replistream.db.url");
      int port = number("port", 0, MAX_PORT);
      int adminPort = number("admin-port", 0, MAX_PORT);
      check(
          port == 0 || port != adminPort,
          "admin-port",
          "another port than that of replistream.port, which is " + port + " too");
      return new ServiceSettings(
          host,
          port,
          host("admin-host").orElseThrow(() -> bad("admin-host", "a value is needed")),
          adminPort,
          dataDir,
          auth,
          stream(auth),
          http(),
          limits(),
          db,
          sync(),
          mutators(auth),
          new RoomSettings(
              number("rooms.max-per-user", 1, RoomSettings.MOST_PER_USER),
              number("rooms.max-members", 1, 100_000),
              number("rooms.max-invitations", 0, 100_000),
              number("rooms.max-invitations-per-user", 0, 10_000),
              number("rooms.max-links", 0, 10_000),
              isDirect()),
          new StorageSettings(
              number("limits.storage-per-user", 0L, MOST_STORAGE),
              number("limits.storage-per-room", 0L, MOST_STORAGE)),
          redis,
          duration("journal.retention", Duration.ZERO, Duration.ofDays(3650)),
          duration("presence.grace", Duration.ZERO, Duration.ofMinutes(10)),
          origins(),
          allowHeaders(),
          web(auth),
          logLevel(auth));
    }

    private WebSettings web(AuthSettings auth) {
      boolean console =
          text("console").map(text -> truth("console", text)).orElseGet(auth::isDevelopmentMode);
      return new WebSettings(
          console,
          text("demo.replicache")
              .map(text -> List.of(path("demo.replicache", text)))
              .orElseGet(() -> List.of(REPLICACHE_PACKAGE, REPLICACHE_PACKAGE_OF_TESTS)));
    }

    private StreamSettings stream(AuthSettings auth) {
      Duration shortest = Duration.ofMillis(10);
      return new StreamSettings(
          duration("stream.ping-interval", shortest, Duration.ofHours(1)),
          duration("stream.retry", shortest, Duration.ofMinutes(10)),
          duration("stream.write-timeout", shortest, Duration.ofMinutes(10)),
          text("stream.drain").isPresent()
              ? duration("stream.drain", Duration.ZERO, Duration.ofMinutes(30))
              // whoever develops wants to go on at once
              : auth.isDevelopmentMode() ? Duration.ZERO : DRAIN,
          number("stream.max-connections", 1, 10_000_000),
          number("stream.max-connections-per-user", 1, 10_000_000));
    }

    private Http http() {
      Duration shortest = Duration.ofMillis(10);
      return new Http(
          duration("http.head-timeout", shortest, Duration.ofMinutes(10)),
          duration("http.body-timeout", shortest, Duration.ofMinutes(30)),
          duration("http.idle-timeout", shortest, Duration.ofHours(1)),
          number("http.max-body", 1024, 64 << 20),
          list("http.hosts").stream().map(Reader::name).toList(),
          list("http.trusted-proxies").stream().map(Reader::network).toList());
    }

    /// An address to listen on; one of IPv6 may stand in brackets, as in a URL.
    private Optional<String> host(String key) {
      return text(key)
          .map(text ->
              text.startsWith("[") && text.endsWith("]") && text.contains(":")
                  ? text.substring(1, text.length() - 1)
                  : text);
    }

    private static String name(String text) {
      try {
        return Hosts.parse(text);
      } catch (IllegalArgumentException _) {
        throw bad("http.hosts", "names or addresses, without a scheme and a port; not " + text);
      }
    }

    private static Network network(String text) {
      try {
        return Network.parse(text);
      } catch (IllegalArgumentException _) {
        throw bad(
            "http.trusted-proxies",
            "networks such as 10.0.0.0/8, 2001:db8::/32 or a single address, not " + text);
      }
    }

    private Limits limits() {
      return new Limits(
          number("limits.strangers-per-address", 0, 1_000_000),
          text("limits.inflight-bytes").isEmpty()
              ? OptionalLong.empty()
              : OptionalLong.of(number("limits.inflight-bytes", 1 << 20, Integer.MAX_VALUE)),
          rate("pokes"),
          rate("pushes"),
          rate("tickets"),
          rate("rooms"),
          rate("invitations"),
          rate("refused-tokens"));
    }

    private int rate(String what) {
      return number("limits.%s-per-second".formatted(what), 0, 1_000_000);
    }

    private DbSettings db(Path dataDir) {
      String url = text("db.url").orElse("jdbc:sqlite:" + dataDir.resolve("replistream.db"));
      boolean postgres = url.startsWith("jdbc:postgresql:");
      check(
          postgres || url.startsWith("jdbc:sqlite:"),
          "db.url",
          "jdbc:sqlite:<file> or jdbc:postgresql://<host>/<database>");
      Optional<String> user = text("db.user");
      Optional<String> password = text("db.password");
      check(postgres || user.isEmpty(), "db.user", NOT_FOR_SQLITE);
      check(postgres || password.isEmpty(), "db.password", NOT_FOR_SQLITE);
      return new DbSettings(
          url,
          user,
          password,
          number("db.pool-size", 1, 1_000),
          ROOT + (text("db.url").isPresent() ? "db.url" : "data-dir"));
    }

    private Optional<RedisSettings> redis() {
      String prefix = required("redis.prefix");
      check(
          prefix.matches("[A-Za-z0-9_.:-]{1,64}"),
          "redis.prefix",
          "1 to 64 letters, digits and _ . : -, not " + prefix);
      try {
        return text("redis.url").map(url -> new RedisSettings(RedisUrl.parse(url), prefix));
      } catch (IllegalArgumentException e) { // which never has the URL's password
        throw bad("redis.url", String.valueOf(e.getMessage()));
      }
    }

    private SyncSettings sync() {
      Duration shortest = Duration.ofMillis(10);
      Duration longest = Duration.ofDays(36_500);
      return new SyncSettings(
          number("sync.max-body", 1024, 256 << 20),
          number("sync.max-args", 1024, 256 << 20),
          number("sync.max-value", 1, 64 << 20),
          duration("sync.tombstone-max-age", shortest, longest),
          duration("sync.client-max-age", shortest, longest),
          duration("sync.compaction-interval", shortest, Duration.ofDays(30)),
          schemaVersions());
    }

    private Set<String> schemaVersions() {
      List<String> versions = list("sync.schema-versions");
      for (String version : versions) {
        check(
            version.length() <= SyncSettings.MAX_SCHEMA_VERSION_LENGTH,
            "sync.schema-versions",
            "versions of at most "
                + SyncSettings.MAX_SCHEMA_VERSION_LENGTH
                + " characters, which no client can exceed");
      }
      return Set.copyOf(new HashSet<>(versions));
    }

    private Mutators mutators(AuthSettings auth) {
      Duration maxCpu = duration("mutators.max-cpu", Duration.ofMillis(10), Duration.ofMinutes(1));
      long maxMemoryBytes = number("mutators.max-memory", 1L << 20, 1L << 40);
      long maxStatements = number("mutators.max-statements", 1000L, Long.MAX_VALUE);
      return new Mutators(
          text("mutators.file")
              .map(text ->
                  new ScriptSettings(
                      script(text),
                      maxCpu,
                      maxMemoryBytes,
                      maxStatements,
                      auth.isDevelopmentMode())),
          httpRules(),
          text("mutators.built-in").map(text -> truth("mutators.built-in", text)));
    }

    private Optional<HttpRulesSettings> httpRules() {
      Duration timeout = duration("mutators.timeout", Duration.ofMillis(10), Duration.ofMinutes(1));
      Optional<String> url = text("mutators.url");
      Optional<String> secret = text("mutators.secret");
      check(
          secret.isEmpty() || url.isPresent(),
          "mutators.secret",
          "it is for replistream.mutators.url, which is not set");
      return url.map(text -> new HttpRulesSettings(rulesUrl(text), webhookSecret(secret), timeout));
    }

    private static URI rulesUrl(String text) {
      try {
        URI url = new URI(text);
        String scheme = url.getScheme() == null ? "" : url.getScheme().toLowerCase(Locale.ROOT);
        if ((scheme.equals("http") || scheme.equals("https"))
            && UrlHost.of(url).isPresent()
            && url.getRawUserInfo() == null
            && url.getRawFragment() == null
            && url.toURL().getPort() <= MAX_PORT) {
          return url;
        }
      } catch (URISyntaxException | MalformedURLException _) {
        // as for any other text
      }
      // which may have a password in it
      throw bad(
          "mutators.url",
          "an http or https URL, without a user, a password and a fragment, such as"
              + " https://app.example.com/rules");
    }

    private static WebhookSecret webhookSecret(Optional<String> text) {
      try {
        return WebhookSecret.parse(text.orElse(""));
      } catch (IllegalArgumentException e) {
        throw bad(
            "mutators.secret", "with replistream.mutators.url it has to be " + e.getMessage());
      }
    }

    private static Path script(String text) {
      Path file = path("mutators.file", text);
      check(Files.isRegularFile(file), "mutators.file", "there is no file " + text);
      check(
          !TYPE_SCRIPT.matcher(text).find(),
          "mutators.file",
          text
              + " is TypeScript: bundle it to JavaScript, such as by esbuild --bundle --format=esm");
      return file;
    }

    private List<String> origins() {
      return Arrays.stream(required("cors.allow-origins").split(",", -1))
          .map(text -> origin(text.strip()))
          .distinct()
          .toList();
    }

    /// An origin as browsers write it (HTML, "serialization of an origin"): in lower case, without
    /// the port that its scheme has by default.
    private static String origin(String text) {
      String key = "cors.allow-origins";
      check(
          text.chars().allMatch(c -> c < 0x80),
          key,
          "an origin is written as browsers send it, in ASCII (xn--...); not " + text);
      Matcher origin = ORIGIN.matcher(text.toLowerCase(Locale.ROOT));
      if (text.equals("*")) {
        return text;
      }
      check(
          origin.matches(),
          key,
          "an origin is * or like https://app.example.com, without a path or a slash at its end;"
              + " not "
              + text);
      String site = origin.group("site");
      if (origin.group("port") == null) {
        return site;
      }
      int port = Integer.parseInt(origin.group("port"));
      check(port > 0 && port <= 65_535, key, "a port is from 1 to 65535; not " + text);
      boolean isDefault =
          switch (origin.group("scheme")) {
            case "https" -> port == 443;
            case "http" -> port == 80;
            default -> false;
          };
      return isDefault ? site : site + ":" + port;
    }

    private List<String> allowHeaders() {
      List<String> names = list("cors.allow-headers");
      for (String name : names) {
        check(
            HEADER_NAME.matcher(name).matches(),
            "cors.allow-headers",
            "names of headers (RFC 9110, section 5.1), such as traceparent; not " + name);
      }
      return names;
    }

    private System.Logger.Level logLevel(AuthSettings auth) {
      String level = text("log.level").orElse(auth.isDevelopmentMode() ? "DEBUG" : "INFO");
      return Arrays.stream(System.Logger.Level.values())
          .filter(l -> l.name().equals(level.toUpperCase(Locale.ROOT)))
          .findFirst()
          .orElseThrow(() ->
              bad("log.level", "one of TRACE, DEBUG, INFO, WARNING, ERROR, OFF; not " + level));
    }

    private Optional<String> text(String key) {
      return Optional.ofNullable(values.get(key)).map(String::strip).filter(v -> !v.isEmpty());
    }

    /// What stands between commas; nothing where there is no value.
    private List<String> list(String key) {
      return text(key).stream()
          .flatMap(text -> Arrays.stream(text.split(",", -1)))
          .map(String::strip)
          .toList();
    }

    private static Path path(String key, String text) {
      try {
        Path path = Path.of(text);
        if (path.isAbsolute() || Files.isDirectory(Path.of(""))) {
          return path;
        }
      } catch (InvalidPathException _) {
        throw bad(
            key,
            "this process can't name that file; with letters beyond ASCII, start it with"
                + " LC_ALL=C.UTF-8");
      }
      // the JVM has another name for it, under which the files would come to stand beside it
      throw bad(
          key,
          "this process can't name its working directory; with letters beyond ASCII, start it with"
              + " LC_ALL=C.UTF-8");
    }

    /// One that is there, or can be made as far as what is there tells.
    private static Path directory(String key, String text) {
      Path directory = path(key, text);
      Path there = directory.toAbsolutePath();
      while (there != null && Files.notExists(there)) {
        there = there.getParent();
      }
      // whether there is one that can't be seen shows when it is used
      check(
          there == null || !Files.exists(there) || Files.isDirectory(there),
          key,
          there + " is no directory");
      return directory;
    }

    private String required(String key) {
      return text(key).orElseThrow(() -> bad(key, "a value is needed"));
    }

    /// Whether an owner adds members without asking them.
    private boolean isDirect() {
      return switch (required("rooms.membership")) {
        case "direct" -> true;
        case "invitation" -> false;
        case String other -> throw bad("rooms.membership", "invitation or direct, not " + other);
      };
    }

    private static boolean truth(String key, String text) {
      check(text.equals("true") || text.equals("false"), key, "true or false, not " + text);
      return text.equals("true");
    }

    private int number(String key, int least, int most) {
      return (int) number(key, (long) least, (long) most);
    }

    private long number(String key, long least, long most) {
      String text = required(key);
      try {
        long number = Long.parseLong(text);
        check(number >= least && number <= most, key, range(text, least, most));
        return number;
      } catch (NumberFormatException _) {
        throw bad(key, range(text, least, most));
      }
    }

    private Duration duration(String key, Duration least, Duration most) {
      String text = required(key);
      try {
        Duration duration = Duration.parse(text);
        check(
            duration.compareTo(least) >= 0 && duration.compareTo(most) <= 0,
            key,
            range(text, least, most));
        return duration;
      } catch (DateTimeParseException _) {
        throw bad(key, "a duration such as PT30S (ISO 8601), not " + text);
      }
    }

    private static String range(String text, Object least, Object most) {
      return "from %s to %s, not %s".formatted(least, most, text);
    }

    private static boolean isLoopback(String host) {
      try {
        return InetAddress.getByName(host).isLoopbackAddress();
      } catch (UnknownHostException _) {
        return false;
      }
    }

    private static void check(boolean good, String key, String expectation) {
      if (!good) {
        throw bad(key, expectation);
      }
    }

    private static SettingsException bad(String key, String expectation) {
      return new SettingsException(ROOT + key + ": " + expectation);
    }
  }
}
