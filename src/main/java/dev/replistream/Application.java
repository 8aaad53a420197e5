package dev.replistream;

import dev.replistream.api.Mutators;
import dev.replistream.api.Pokes;
import dev.replistream.auth.AuthMetrics;
import dev.replistream.auth.Authenticator;
import dev.replistream.auth.DevelopmentKey;
import dev.replistream.auth.Keys;
import dev.replistream.auth.MemoryTickets;
import dev.replistream.auth.Revocations;
import dev.replistream.auth.RevokeHandler;
import dev.replistream.auth.RevokedTokens;
import dev.replistream.auth.StrangerTokens;
import dev.replistream.auth.TicketHandler;
import dev.replistream.auth.TicketStore;
import dev.replistream.auth.Tickets;
import dev.replistream.auth.TokenSigner;
import dev.replistream.auth.TokenVerifier;
import dev.replistream.backend.ArchiveHandler;
import dev.replistream.backend.EntryHandler;
import dev.replistream.backend.JournalHandler;
import dev.replistream.backend.MutationHandler;
import dev.replistream.backend.TransactionHandler;
import dev.replistream.backend.UserHandler;
import dev.replistream.backend.WriteLimits;
import dev.replistream.data.DatabaseMark;
import dev.replistream.data.Journal;
import dev.replistream.data.Outbox;
import dev.replistream.data.Transactions;
import dev.replistream.db.Database;
import dev.replistream.db.Databases;
import dev.replistream.db.PlatformThreadDatabase;
import dev.replistream.http.Bodies;
import dev.replistream.http.BodyBudget;
import dev.replistream.http.ClientAddresses;
import dev.replistream.http.Cors;
import dev.replistream.http.Hosts;
import dev.replistream.http.LocalCallers;
import dev.replistream.http.LongAnswers;
import dev.replistream.http.OperatorPaths;
import dev.replistream.http.RateLimit;
import dev.replistream.http.ReadTurns;
import dev.replistream.http.Routes;
import dev.replistream.http.SpillFiles;
import dev.replistream.http.UrlHost;
import dev.replistream.http.wire.Crowd;
import dev.replistream.http.wire.FileDescriptors;
import dev.replistream.http.wire.HelidonInternals;
import dev.replistream.http.wire.IoThreads;
import dev.replistream.http.wire.SteadyListener;
import dev.replistream.http.wire.Wires;
import dev.replistream.inspector.Inspector;
import dev.replistream.nodes.Nodes;
import dev.replistream.nodes.RedisConnection;
import dev.replistream.nodes.RedisKeeper;
import dev.replistream.nodes.RedisNodes;
import dev.replistream.nodes.RedisPokeBus;
import dev.replistream.nodes.RedisSettings;
import dev.replistream.nodes.RedisTickets;
import dev.replistream.nodes.SingleNode;
import dev.replistream.poke.CursorFile;
import dev.replistream.poke.Latency;
import dev.replistream.poke.LocalPokeBus;
import dev.replistream.poke.PokeBus;
import dev.replistream.poke.PokeHandler;
import dev.replistream.presence.RoomPresence;
import dev.replistream.rejection.RejectionHandler;
import dev.replistream.rejection.Rejections;
import dev.replistream.room.InvitationHandler;
import dev.replistream.room.LinkHandler;
import dev.replistream.room.MemberHandler;
import dev.replistream.room.PresenceHandler;
import dev.replistream.room.RoomHandler;
import dev.replistream.room.Rooms;
import dev.replistream.rules.MutatorRegistry;
import dev.replistream.rules.MutatorSource;
import dev.replistream.rules.http.HttpRules;
import dev.replistream.rules.http.HttpRulesSettings;
import dev.replistream.rules.script.ScriptRules;
import dev.replistream.stream.FeedSources;
import dev.replistream.stream.SessionHandler;
import dev.replistream.stream.Sessions;
import dev.replistream.stream.SseManager;
import dev.replistream.stream.StatsHandler;
import dev.replistream.stream.StreamHandler;
import dev.replistream.stream.StreamMetrics;
import dev.replistream.stream.StreamSettings;
import dev.replistream.stream.WebSocketHandler;
import dev.replistream.sync.Compaction;
import dev.replistream.sync.Pull;
import dev.replistream.sync.PullHandler;
import dev.replistream.sync.Push;
import dev.replistream.sync.PushHandler;
import dev.replistream.sync.StorageMetrics;
import dev.replistream.sync.SyncMetrics;
import dev.replistream.sync.UsageHandler;
import dev.replistream.web.RulesInUse;
import dev.replistream.web.WebPages;
import io.helidon.common.socket.SocketOptions;
import io.helidon.health.HealthCheckResponse;
import io.helidon.health.HealthCheckType;
import io.helidon.http.Header;
import io.helidon.http.HeaderNames;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.metrics.api.MeterRegistry;
import io.helidon.metrics.api.MetricsFactory;
import io.helidon.service.registry.Services;
import io.helidon.webserver.ErrorHandling;
import io.helidon.webserver.ListenerConfig;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.WebServerConfig;
import io.helidon.webserver.http.HttpRouting;
import io.helidon.webserver.observe.ObserveFeature;
import io.helidon.webserver.observe.health.HealthObserver;
import io.helidon.webserver.observe.health.HealthObserverConfig;
import io.helidon.webserver.observe.metrics.MetricsObserver;
import java.io.IOException;
import java.lang.System.Logger;
import java.lang.System.Logger.Level;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.time.Clock;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import jdk.net.ExtendedSocketOptions;
import org.jspecify.annotations.Nullable;

/// The whole service: every part, and how they are wired.
///
/// {@link #start} and {@link #close} are for one thread; {@link #pokes} may be used by any.
public final class Application implements AutoCloseable {
  private static final Logger LOGGER = System.getLogger(Application.class.getName());

  /// The prefix of every route of the API.
  public static final String API = "/api/v1/replicache";

  /// The name of the operator's listener.
  public static final String ADMIN = "admin";

  /// How many users' last pokes a generation of the cursor remembers: about 10 MB.
  private static final int CURSOR_GENERATION = 100_000;

  /// How much of a body a chunk may bring at least, where the limits of bodies are smaller.
  private static final int LEAST_CHUNK_BYTES = 1 << 20;

  /// Nothing on the operator's listener has a body.
  private static final int MAX_ADMIN_BODY_BYTES = 1024;

  /// Tells {@link Routes#directHandlers} what was wrong, which they don't hand on as it is.
  private static final ErrorHandling TELLING = ErrorHandling.builder().includeEntity(true).build();

  /// What answers that wait for slow clients take of the disk: a hundred very large ones.
  private static final long MAX_SPILLED_BYTES = 1L << 30;

  /// The topic by which nodes tell each other of revoked tokens.
  private static final String REVOKED = "revoked";

  /// How long changes may take to end at the stop, after their requests were interrupted.
  private static final Duration STOP_PATIENCE = Duration.ofSeconds(1);

  private static final Duration TICKET_LIFE = Duration.ofSeconds(30);
  private static final int MAX_TICKETS = 100_000;

  private final ServiceSettings settings;
  private final StreamSettings streamSettings;
  private final MeterRegistry meters;
  private final BodyBudget budget;
  private final Crowd crowd;
  private final Crowd operators;
  private final IoThreads ioThreads;
  private final Wires wires;
  private final Wires adminWires;
  private final SteadyListener listener;
  private final SteadyListener adminListener;
  private final StreamMetrics streamMetrics;
  private final PokeBus bus;
  private final @Nullable RedisKeeper redisKeeper;
  private final @Nullable CursorKeeper cursorKeeper; // of a node that is alone
  private final SseManager sseManager;
  private final @Nullable MutatorSource script;
  private final Database database;
  private final Outbox outbox;
  private final Transactions transactions;
  private final StorageMetrics storageMetrics;
  private final Compaction compaction;
  private final Revocations revocations;
  private final RoomPresence roomPresence;
  private final Keys keys;
  private final JournalHandler journalHandler;
  private final Cors cors;
  private final Routes routes;
  private final ReentrantLock closing = new ReentrantLock();
  private volatile @Nullable Thread exitHook;
  private volatile @Nullable WebServer server;

  /// Wires the parts, with the mutators that `java.util.ServiceLoader` finds; nothing listens yet.
  ///
  /// @throws dev.replistream.http.wire.UnsupportedHelidonException when Helidon is not the one that
  ///   this service needs
  /// @throws dev.replistream.auth.KeysException when the signing keys can't be used
  /// @throws dev.replistream.rules.MutatorsException when the mutators can't be used
  /// @throws dev.replistream.db.DatabaseStartException when the database can't be used
  public Application(Settings settings, Clock clock) {
    this(settings, clock, List.of());
  }

  /// Wires the parts, with more mutators; nothing listens yet.
  ///
  /// @throws RuntimeException as the other constructor does
  public Application(Settings given, Clock clock, List<Mutators> mutators) {
    HelidonInternals.check();
    settings =
        switch (given) {
          case ServiceSettings own -> own;
        };
    settings.mutators().script().ifPresent(_ -> ScriptRules.warmUp()); // beside all else
    streamSettings = settings.stream().atMost(FileDescriptors.maxStreams());
    meters = Services.get(MetricsFactory.class).globalRegistry();
    cors = new Cors(settings.allowOrigins(), settings.allowHeaders(), WebPages.OWN_PATHS);

    RevokedTokens revokedTokens = new RevokedTokens(clock);
    keys = Keys.of(settings.auth(), settings.dataDir(), clock);
    TokenVerifier verifier = new TokenVerifier(keys, settings.auth(), clock, revokedTokens::covers);
    AuthMetrics authMetrics = new AuthMetrics(meters);
    ServiceSettings.Limits limits = settings.limits();
    ClientAddresses addresses = new ClientAddresses(settings.http().trustedProxies());
    RateLimit pokes = new RateLimit("pokes", limits.pokesPerSecond(), meters);
    RateLimit roomChanges = new RateLimit("rooms", limits.roomsPerSecond(), meters);
    RateLimit invitations = new RateLimit("invitations", limits.invitationsPerSecond(), meters);

    MutatorRegistry javaMutators =
        MutatorRegistry.discover(mutators, settings.mutators().builtIn());
    SyncMetrics syncMetrics = new SyncMetrics(meters);
    database = database(syncMetrics);
    Pull pull = orClose(() -> new Pull(database, syncMetrics));
    TicketStore ownTickets = new MemoryTickets(MAX_TICKETS, clock);
    TicketStore ticketStore;
    Nodes nodes;
    if (settings.redis().isPresent()) {
      RedisConnection redis = orClose(() -> redis(settings.redis().get(), meters));
      RedisNodes redisNodes = new RedisNodes(redis, streamSettings.maxConnectionsPerUser());
      RedisPokeBus redisBus = new RedisPokeBus(redis, redisNodes, meters);
      redisKeeper = new RedisKeeper(redis, redisNodes, redisBus);
      cursorKeeper = null;
      nodes = redisNodes;
      bus = redisBus;
      ticketStore = new RedisTickets(redis, ownTickets);
    } else {
      redisKeeper = null;
      nodes = new SingleNode();
      cursorKeeper =
          new CursorKeeper(new CursorFile(settings.dataDir()), new DatabaseMark(database));
      bus = new LocalPokeBus(orClose(() -> cursorKeeper.take(CURSOR_GENERATION)), meters);
      ticketStore = ownTickets;
    }
    Tickets tickets = new Tickets(TICKET_LIFE, ticketStore, clock);
    Authenticator authenticator =
        new Authenticator(
            verifier,
            tickets,
            cors,
            authMetrics,
            new StrangerTokens(limits.refusedTokensPerSecond(), meters),
            addresses);
    roomPresence = new RoomPresence(database, settings.rooms(), clock);
    outbox = new Outbox(database, bus, settings.redis().isPresent());
    storageMetrics = new StorageMetrics(database, meters);
    compaction =
        new Compaction(
            database,
            settings.sync(),
            settings.storage(),
            settings.journalRetention(),
            storageMetrics,
            clock);
    Journal journal = new Journal(settings.journalRetention());
    transactions =
        new Transactions(
            database, outbox, journal, roomPresence::membersChanged, compaction::leftBehind);
    Rejections rejections = new Rejections(database, nodes, clock);
    Inspector inspector = new Inspector(settings.auth().isDevelopmentMode(), meters);
    script =
        settings
            .mutators()
            .script()
            .<MutatorSource>map(of ->
                orClose(() ->
                    ScriptRules.open(
                        of,
                        names -> javaMutators.requireFree(names, of.file().toString()),
                        meters)))
            .orElse(null);
    MutatorRegistry ownMutators = script == null ? javaMutators : javaMutators.with(script);
    MutatorRegistry mutatorRegistry =
        settings
            .mutators()
            .http()
            .map(of -> ownMutators.with(httpRules(of, settings.sync().maxValueBytes(), clock)))
            .orElse(ownMutators);
    Push push =
        new Push(
            transactions,
            mutatorRegistry,
            settings.sync().maxValueBytes(),
            settings.rooms(),
            new Push.Storage(settings.storage(), storageMetrics, compaction::wake),
            new Push.Feedback(settings.auth().isDevelopmentMode(), rejections::tell, inspector),
            clock,
            syncMetrics);
    revocations =
        orClose(() ->
            new Revocations(database, Revocations.MAX, revokedTokens, settings.auth(), clock));

    Rooms rooms = new Rooms(database, transactions, outbox, settings.rooms(), clock);
    // what has threads of its own comes when nothing can stop the start any more
    keys.watch();
    crowd = new Crowd("api", Crowd.Limits.ofApi(limits.strangersPerAddress()), addresses, meters);
    operators = new Crowd(ADMIN, Crowd.Limits.ofAdmin(), addresses, meters);
    ioThreads = new IoThreads();
    wires =
        new Wires(
            settings.deadlines(),
            Math.max(
                LEAST_CHUNK_BYTES,
                Math.max(settings.http().maxBodyBytes(), settings.sync().maxBodyBytes())),
            crowd,
            ioThreads);
    adminWires = new Wires(settings.deadlines(), MAX_ADMIN_BODY_BYTES, operators, ioThreads);
    listener = new SteadyListener(WebServer.DEFAULT_SOCKET_NAME, crowd);
    adminListener = new SteadyListener(ADMIN, operators);
    streamMetrics = new StreamMetrics(meters);
    sseManager =
        new SseManager(
            streamSettings,
            settings.presenceGrace(),
            bus,
            nodes,
            outbox,
            streamMetrics,
            revokedTokens::covers,
            clock);
    revocations.subscribe(sseManager::end);
    revocations.tellBy(text -> nodes.tell(REVOKED, text));
    nodes.listen(REVOKED, revocations::receive);
    roomPresence.start(sseManager, nodes);

    FeedSources feeds = new FeedSources(roomPresence, rejections, inspector);
    StreamHandler stream = streamHandler(authenticator, feeds, clock, List.of());
    StreamHandler events =
        streamHandler(
            authenticator,
            feeds,
            clock,
            List.of(
                // since 1 January 2026 (RFC 9745); the name to use instead (RFC 5829)
                HeaderValues.create("Deprecation", "@1767225600"),
                HeaderValues.create(
                    HeaderNames.LINK, "<" + API + "/stream>; rel=\"successor-version\"")));
    budget = new BodyBudget(limits.inflightBytes(), meters);
    Bodies bodies = budget.bodiesOf(settings.http().maxBodyBytes());
    ReadTurns reads = new ReadTurns("reads");
    LongAnswers answers = new LongAnswers(new SpillFiles(settings.dataDir(), MAX_SPILLED_BYTES));
    SessionHandler session =
        new SessionHandler(authenticator, new Sessions(sseManager, nodes, clock));
    RoomHandler room = new RoomHandler(authenticator, rooms, clock, bodies, roomChanges, pokes);
    MemberHandler member =
        new MemberHandler(authenticator, rooms, bodies, roomChanges, invitations);
    InvitationHandler invitation = new InvitationHandler(authenticator, rooms, bodies, roomChanges);
    LinkHandler link = new LinkHandler(authenticator, rooms, bodies, roomChanges);
    Bodies pushBodies = budget.bodiesOf(settings.sync().maxBodyBytes());
    RateLimit pushes = new RateLimit("pushes", limits.pushesPerSecond(), meters);
    journalHandler =
        new JournalHandler(
            authenticator, database, journal, answers, reads, revokedTokens::covers, clock);
    ArchiveHandler archive =
        new ArchiveHandler(authenticator, database, settings.sync().maxValueBytes(), clock);
    WriteLimits writes =
        new WriteLimits(settings.rooms(), settings.storage(), settings.sync().maxValueBytes());
    EntryHandler entries =
        new EntryHandler(
            authenticator,
            database,
            transactions,
            answers,
            reads,
            budget.bodiesOf(settings.sync().maxValueBytes()),
            writes,
            clock);
    routes =
        new Routes()
            .on(Method.GET, API + "/stream", stream)
            .on(Method.GET, API + "/events", events)
            .on(
                Method.GET,
                API + "/ws",
                new WebSocketHandler(
                    authenticator, sseManager, feeds, streamSettings, streamMetrics, clock))
            .on(
                Method.POST,
                API + "/ticket",
                new TicketHandler(
                    authenticator,
                    tickets,
                    authMetrics,
                    new RateLimit("tickets", limits.ticketsPerSecond(), meters)))
            .on(
                Method.POST,
                API + "/revoke",
                new RevokeHandler(authenticator, revocations, clock, bodies))
            .on(
                Method.POST,
                API + "/poke-user",
                new PokeHandler(authenticator, outbox, pokes, bus.mayBlock(), clock, bodies))
            .on(Method.GET, API + "/stats", new StatsHandler(authenticator, nodes, clock))
            .on(
                Method.GET,
                API + "/usage",
                new UsageHandler(authenticator, database, settings.storage()))
            .on(Method.GET, API + "/rejections", new RejectionHandler(authenticator, rejections))
            .on(Method.GET, API + "/sessions", session::list)
            .on(Method.DELETE, API + "/sessions/{id}", session::end)
            .on(
                Method.POST,
                API + "/push",
                new PushHandler(authenticator, push, pushBodies, settings.sync(), pushes))
            .on(
                Method.POST,
                API + "/pull",
                new PullHandler(
                    authenticator,
                    pull,
                    bus::pulled,
                    syncMetrics,
                    answers,
                    settings.sync(),
                    budget.bodiesOf(PullHandler.MAX_BODY_BYTES)))
            .on(Method.POST, API + "/rooms", room::create)
            .on(Method.GET, API + "/rooms", room::list)
            .on(Method.DELETE, API + "/rooms/{room}", room::delete)
            .on(Method.POST, API + "/rooms/{room}/poke", room::poke)
            .on(
                Method.GET,
                API + "/rooms/{room}/presence",
                new PresenceHandler(authenticator, rooms, sseManager))
            .on(Method.GET, API + "/rooms/{room}/members", member::list)
            .on(Method.PUT, API + "/rooms/{room}/members/{userId}", member::put)
            .on(Method.DELETE, API + "/rooms/{room}/members/{userId}", member::remove)
            .on(Method.GET, API + "/invitations", invitation::list)
            .on(Method.DELETE, API + "/invitations/{room}", invitation::decline)
            .on(Method.POST, API + "/rooms/{room}/join", invitation::join)
            .on(Method.GET, API + "/rooms/{room}/invitations", invitation::listOfRoom)
            .on(Method.DELETE, API + "/rooms/{room}/invitations/{userId}", invitation::withdraw)
            .on(Method.POST, API + "/rooms/{room}/links", link::create)
            .on(Method.GET, API + "/rooms/{room}/links", link::list)
            .on(Method.DELETE, API + "/rooms/{room}/links/{id}", link::remove)
            .on(Method.POST, API + "/join", link::join)
            .on(Method.GET, API + "/rooms/{room}/entries", entries::list)
            .on(Method.GET, API + "/rooms/{room}/entries/{key}", entries::get)
            .on(Method.PUT, API + "/rooms/{room}/entries/{key}", entries::put)
            .on(Method.PATCH, API + "/rooms/{room}/entries/{key}", entries::patch)
            .on(Method.DELETE, API + "/rooms/{room}/entries/{key}", entries::delete)
            .on(Method.GET, API + "/rooms/{room}/changes", entries::changes)
            .on(
                Method.DELETE,
                API + "/users/{userId}",
                new UserHandler(authenticator, transactions, settings.rooms(), clock))
            .on(Method.GET, API + "/users/{userId}/entries", entries::list)
            .on(Method.GET, API + "/users/{userId}/entries/{key}", entries::get)
            .on(Method.PUT, API + "/users/{userId}/entries/{key}", entries::put)
            .on(Method.PATCH, API + "/users/{userId}/entries/{key}", entries::patch)
            .on(Method.DELETE, API + "/users/{userId}/entries/{key}", entries::delete)
            .on(Method.GET, API + "/users/{userId}/changes", entries::changes)
            .on(
                Method.POST,
                API + "/transactions",
                new TransactionHandler(authenticator, transactions, pushBodies, writes, clock))
            .on(Method.GET, API + "/export", archive::export)
            .on(Method.POST, API + "/import", archive::take)
            .on(Method.GET, API + "/journal", journalHandler)
            .on(
                Method.POST,
                API + "/mutations",
                new MutationHandler(
                    authenticator,
                    transactions,
                    push,
                    pushBodies,
                    settings.sync().maxArgsLength(),
                    pushes,
                    clock));
    new WebPages(
            settings.web(), developmentSigner(settings, clock), rulesInUse(mutatorRegistry, script))
        .register(routes, API + "/sessions");
    if (redisKeeper != null) {
      redisKeeper.start();
    }
  }

  private HttpRules httpRules(HttpRulesSettings settings, int maxValueBytes, Clock clock) {
    return new HttpRules(
        settings,
        maxValueBytes,
        meters,
        Latency.timer(
            meters, "replistream_rule_call", "Requests to the application's rules", List.of()),
        clock);
  }

  /// Mutators in JavaScript are measured by the thread that runs them, as virtual ones are not.
  private Database database(SyncMetrics metrics) {
    Database opened = Databases.open(settings.db(), metrics);
    return settings.mutators().script().isPresent() && settings.db().isPostgres()
        ? new PlatformThreadDatabase(opened, settings.db().poolSize())
        : opened;
  }

  private StreamHandler streamHandler(
      Authenticator authenticator, FeedSources feeds, Clock clock, List<Header> extraHeaders) {
    return new StreamHandler(
        authenticator, sseManager, feeds, streamSettings, streamMetrics, cors, clock, extraHeaders);
  }

  private static RedisConnection redis(RedisSettings settings, MeterRegistry meters) {
    RedisConnection redis = new RedisConnection(settings, meters);
    redis
        .refusal()
        .ifPresent(refusal -> {
          throw new SettingsException("replistream.redis.url: Redis answers: " + refusal);
        });
    return redis;
  }

  /// What signs tokens of any user, in development mode alone.
  private static Optional<TokenSigner> developmentSigner(ServiceSettings settings, Clock clock) {
    return settings.auth().isDevelopmentMode()
        ? Optional.of(
            new TokenSigner(
                DevelopmentKey.loadOrCreate(settings.dataDir()), settings.auth(), clock))
        : Optional.empty();
  }

  private static RulesInUse rulesInUse(MutatorRegistry registry, @Nullable MutatorSource source) {
    return new RulesInUse() {
      @Override
      public boolean has(String name) {
        return registry.find(name).isPresent();
      }

      @Override
      public boolean isBuiltIn(String name) {
        return registry.isBuiltIn(name);
      }

      @Override
      public Optional<String> staleness() {
        return source == null ? Optional.empty() : source.staleness();
      }
    };
  }

  private <T> T orClose(Supplier<T> part) {
    try {
      return part.get();
    } catch (RuntimeException e) {
      database.close();
      closeScript();
      throw e;
    }
  }

  private void closeScript() {
    if (script != null) {
      script.close();
    }
  }

  /// A service inside a Java application, with mutators of its own.
  public static ApplicationBuilder builder() {
    return new ApplicationBuilder();
  }

  /// The way to poke a user from Java.
  public Pokes pokes() {
    return sseManager::notifyUser;
  }

  /// Who is connected.
  SseManager sseManager() {
    return sseManager;
  }

  /// Puts both listeners and their routes into a server's configuration.
  public void configure(WebServerConfig.Builder server) {
    HttpRouting.Builder routing =
        HttpRouting.builder().addFeature(listener).addFeature(adminListener);
    if (!settings.http().hosts().isEmpty()) {
      routing.addFilter(new Hosts(settings.http().hosts(), cors));
    }
    routes.register(routing, cors);
    if (settings.auth().isDevelopmentMode()) {
      routing.addFilter(new LocalCallers(settings.host()));
    }
    server
        .host(settings.host())
        .port(settings.port())
        .backlog(4096)
        .shutdownHook(false)
        .protocolsDiscoverServices(false)
        .addConnectionSelector(wires)
        .maxTcpConnections(FileDescriptors.maxConnections())
        .connectionOptions(socketOptions())
        .useNio(false) // its sockets keep twice the buffers; see Sockets for the channel below
        .directHandlers(Routes.directHandlers(cors))
        .errorHandling(TELLING)
        .routing(routing)
        .putSocket(
            ADMIN,
            ListenerConfig.builder()
                .host(settings.adminHost())
                .port(settings.adminPort())
                .protocolsDiscoverServices(false)
                .addConnectionSelector(adminWires)
                .connectionOptions(socketOptions())
                .useNio(false)
                .maxPayloadSize(MAX_ADMIN_BODY_BYTES)
                .directHandlers(Routes.directHandlers(new Cors(List.of(), List.of(), Set.of())))
                .errorHandling(TELLING)
                .routing(OperatorPaths.guard(HttpRouting.builder()))
                .build())
        .addFeature(observe());
  }

  /// TCP notices a client that vanished: idle connections are probed after a third of the ping
  /// interval, so that five unanswered probes end the connection before the next ping.
  private SocketOptions socketOptions() {
    int idleSeconds = Math.clamp(settings.stream().pingInterval().toSeconds() / 3, 1, 3600);
    int probeSeconds = Math.max(1, idleSeconds / 3);
    return SocketOptions.builder()
        .tcpNoDelay(true)
        .socketKeepAlive(true)
        .putSocketOption(ExtendedSocketOptions.TCP_KEEPIDLE, idleSeconds)
        .putSocketOption(ExtendedSocketOptions.TCP_KEEPINTERVAL, probeSeconds)
        .putSocketOption(ExtendedSocketOptions.TCP_KEEPCOUNT, 5)
        .build();
  }

  private ObserveFeature observe() {
    HealthObserverConfig.Builder health =
        HealthObserver.builder()
            .details(true)
            .useSystemServices(false)
            .addCheck(() -> health(listener.isListening()), HealthCheckType.LIVENESS, "listener")
            .addCheck(
                () -> health(listener.isListening() && !sseManager.isDraining()),
                HealthCheckType.READINESS,
                "accepting")
            .addCheck(() -> health(database.isAvailable()), HealthCheckType.READINESS, "database")
            .addCheck(() -> health(true), HealthCheckType.STARTUP, "started");
    if (redisKeeper != null) {
      health.addCheck(() -> health(bus.isAvailable()), HealthCheckType.READINESS, "redis");
    }
    return ObserveFeature.builder()
        .endpoint("/")
        .sockets(List.of(ADMIN))
        .observersDiscoverServices(false)
        .addObserver(health.build())
        .addObserver(MetricsObserver.builder().meterRegistry(meters).build())
        .build();
  }

  private static HealthCheckResponse health(boolean up) {
    return HealthCheckResponse.builder().status(up).build();
  }

  /// Starts both listeners.
  ///
  /// @throws SettingsException when a port is taken or an address can't be bound
  public Application start() {
    requireFree("", settings.host(), settings.port());
    requireFree("admin-", settings.adminHost(), settings.adminPort());
    WebServerConfig.Builder builder = WebServer.builder();
    configure(builder);
    WebServer starting = builder.build().start();
    if (!starting.isRunning()) {
      throw new SettingsException(
          "replistream.host: the server could not listen on " + settings.host());
    }
    running(starting);
    return this;
  }

  /// Tells the application that the server which it configured has started. {@link #start} does so
  /// itself.
  public void running(WebServer started) {
    server = started;
    compaction.start();
    storageMetrics.start(settings.sync().compactionInterval());
    outbox.start();
    revocations.start();
    LOGGER.log(
        Level.INFO,
        "event=start address={0}:{1} admin-port={2} auth={3} database={4} nodes={5} max-streams={6}",
        UrlHost.bracketed(settings.host()),
        String.valueOf(port()),
        String.valueOf(adminPort()),
        settings.auth(),
        settings.db(),
        settings.redis().isPresent() ? "redis" : "one",
        String.valueOf(streamSettings.maxConnections()));
  }

  /// Says which key to change before Helidon's log would: that of the address where no port of it
  /// can be had.
  ///
  /// @param listener what the listener's two keys begin with
  private static void requireFree(String listener, String host, int port) {
    Optional<String> obstacle = obstacle(host, port);
    if (obstacle.isPresent()) {
      throw new SettingsException(
          "replistream.%s%s: can't listen on %s:%s (%s)"
              .formatted(
                  listener,
                  obstacle(host, 0).isPresent() ? "host" : "port",
                  UrlHost.bracketed(host),
                  port,
                  obstacle.get()));
    }
  }

  /// Why no socket can listen there, where none can.
  private static Optional<String> obstacle(String host, int port) {
    try (ServerSocket probe = new ServerSocket()) {
      probe.setReuseAddress(true);
      probe.bind(new InetSocketAddress(host, port));
      return Optional.empty();
    } catch (IOException | IllegalArgumentException e) {
      return Optional.of(String.valueOf(e.getMessage()));
    }
  }

  /// The port of the API.
  public int port() {
    WebServer running = server;
    return running == null ? -1 : running.port();
  }

  /// The port of health and metrics.
  public int adminPort() {
    WebServer running = server;
    return running == null ? -1 : running.port(ADMIN);
  }

  /// Closes this application when the process is told to end (SIGTERM, SIGINT, `System.exit`),
  /// unless it is closed before.
  void closeAtExit() {
    Thread hook = new Thread(this::close, "shutdown");
    exitHook = hook;
    try {
      Runtime.getRuntime().addShutdownHook(hook);
    } catch (IllegalStateException _) {
      // told to end while it started; what it took is given back as the process ends
    }
  }

  private void forgetExit() {
    Thread hook = exitHook;
    exitHook = null;
    if (hook != null && Thread.currentThread() != hook) {
      try {
        Runtime.getRuntime().removeShutdownHook(hook);
      } catch (IllegalStateException _) {
        // the process ends, and the hook finds this closed
      }
    }
  }

  /// Drains the streams, then stops both listeners, keeps the cursor for the next start, and closes
  /// the database. Call it also for an application that was not started.
  @Override
  public void close() {
    forgetExit();
    closing.lock();
    try {
      closeAlone();
    } finally {
      closing.unlock();
    }
  }

  private void closeAlone() {
    if (server != null && !sseManager.isDraining()) {
      LOGGER.log(
          Level.INFO,
          "event=drain streams={0} over={1}",
          String.valueOf(sseManager.connections()),
          settings.stream().drain());
    }
    try {
      sseManager.drain(settings.stream().drain());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    }
    journalHandler.close();
    WebServer running = server;
    if (running != null) {
      running.stop();
    }
    boolean isWhole = transactions.stop(STOP_PATIENCE);
    try (ExecutorService each = Executors.newVirtualThreadPerTaskExecutor()) {
      // where the database is away, they wait for it at the same time
      each.execute(compaction::close);
      each.execute(storageMetrics::close);
      each.execute(outbox::close);
      each.execute(revocations::close);
    }
    keys.close();
    roomPresence.close();
    sseManager.close();
    if (redisKeeper != null) {
      redisKeeper.close();
    }
    ioThreads.close();
    budget.close();
    crowd.close();
    operators.close();
    if (cursorKeeper != null) {
      cursorKeeper.keep(isWhole);
    }
    database.close();
    closeScript();
    streamMetrics.close();
    if (running != null) {
      LOGGER.log(Level.INFO, "event=stop");
    }
  }
}
