package dev.replistream.web;

import dev.replistream.auth.TokenSigner;
import dev.replistream.http.Routes;
import io.helidon.http.Header;
import io.helidon.http.HeaderValues;
import io.helidon.http.Method;
import io.helidon.webserver.http.Handler;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/// The client script and its npm package, the description of the API, the console at `/` and the
/// demo at `/demo`. Confined to the thread that builds the server.
public final class WebPages {
  /// The first segments of the paths that no other origin may read.
  public static final Set<String> OWN_PATHS = Set.of("", "console", "demo", "development");

  /// These are for pages anywhere; whether they may read them, CORS says.
  private static final List<Header> ANYWHERE =
      List.of(HeaderValues.createCached("Cross-Origin-Resource-Policy", "cross-origin"));

  private static final List<String> OPEN_FILES =
      List.of("replistream.js", "replistream.d.ts", "openapi.yaml");

  private static final String PACKAGE = "/replistream.tgz";

  private static final List<String> FILES =
      List.of(
          "console/base.css",
          "console/icon.svg",
          "console/inspector.js",
          "console/credentials.js",
          "console/elements.js",
          "console/console.css",
          "console/console.js",
          "console/links.js",
          "console/panel.js",
          "console/places.js",
          "console/plot.js",
          "console/rooms.js",
          "console/rules.js",
          "demo/demo.css",
          "demo/demo.js",
          "demo/list.js",
          "demo/mutators.mjs",
          "demo/process.js",
          "demo/rooms.js");

  /// What `demo/mutators.mjs` exports, as far as the demo uses it.
  private static final List<String> DEMO_RULES =
      List.of("createList", "createTodo", "updateTodo", "deleteTodo");

  private final WebSettings settings;
  private final Optional<TokenSigner> developmentSigner;
  private final RulesInUse rules;

  /// @param developmentSigner signs tokens of any user in development mode, and in no other
  public WebPages(WebSettings settings, Optional<TokenSigner> developmentSigner, RulesInUse rules) {
    this.settings = settings;
    this.developmentSigner = developmentSigner;
    this.rules = rules;
  }

  /// Adds the routes, after those that the pages offer.
  ///
  /// @param sessions the path of the route of sessions, which the console shows if there is one
  /// @throws IllegalStateException when a file is missing from the class path
  public void register(Routes routes, String sessions) {
    for (String name : OPEN_FILES) {
      on(routes, "/" + name, new Asset(name, Asset.read(name), ANYWHERE)::send);
    }
    on(routes, PACKAGE, new Asset(PACKAGE, ModulePackage.read(), ANYWHERE)::send);
    if (!settings.console()) {
      return;
    }
    Map<String, Boolean> marks =
        Map.of(
            "development", developmentSigner.isPresent(),
            "sessions", routes.has(Method.GET, sessions));
    for (String name : FILES) {
      on(routes, "/" + name, new Asset(name, Asset.read(name), Page.OWN)::send);
    }
    on(routes, "/", Page.of("console/index.html", marks)::send);

    ReplicachePackage replicache = new ReplicachePackage(settings.replicachePackages());
    Asset withRules = demo(true);
    Asset withBuiltIns = demo(false);
    Asset withOtherRules = Page.of("demo/rules.html", Map.of());
    Asset withoutReplicache = Page.of("demo/missing.html", Map.of());
    on(
        routes,
        "/demo",
        (request, response) -> {
          Asset page =
              !replicache.isInstalled()
                  ? withoutReplicache
                  : DEMO_RULES.stream().allMatch(rules::has)
                      ? withRules
                      : rules.isBuiltIn("put") && rules.isBuiltIn("del")
                          ? withBuiltIns
                          : withOtherRules;
          page.send(request, response);
        });
    on(routes, "/demo/{module}", replicache::send);
    developmentSigner.ifPresent(signer ->
        routes
            .on(Method.POST, "/development/token", new DevelopmentTokenHandler(signer))
            .on(Method.GET, "/development/rules", new RulesHandler(rules)));
  }

  private Asset demo(boolean hasRules) {
    return Page.of(
        "demo/index.html", Map.of("development", developmentSigner.isPresent(), "rules", hasRules));
  }

  private static void on(Routes routes, String path, Handler handler) {
    routes.on(Method.GET, path, handler).on(Method.HEAD, path, handler);
  }
}
