package dev.replistream;

import com.networknt.schema.Error;
import com.networknt.schema.Schema;
import com.networknt.schema.SchemaLocation;
import com.networknt.schema.SchemaRegistry;
import com.networknt.schema.dialect.Dialects;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.constructor.SafeConstructor;
import tools.jackson.core.JacksonException;
import tools.jackson.core.StreamReadConstraints;
import tools.jackson.core.json.JsonFactory;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;
import tools.jackson.databind.node.LongNode;
import tools.jackson.databind.node.StringNode;

/// What `openapi.yaml` says of the routes, and whether a reply is as it says. {@link ServiceClient}
/// asks it about each reply of the service; of replies of one kind it looks at the first ones, so
/// that it costs a busy test nothing. Thread-safe.
final class OpenApi {
  /// Where it stands in the source tree.
  static final Path FILE = Path.of("src", "main", "resources", "web", "openapi.yaml");

  /// How many replies of one route and status are looked at.
  private static final int LOOKS = 20;

  private static final int MAX_LENGTH = 1 << 20;
  private static final String IRI = "https://replistream.invalid/openapi.yaml";
  private static final String ANY = "/components/responses/Any";

  private static final JsonMapper JSON =
      JsonMapper.builder(
              JsonFactory.builder()
                  .streamReadConstraints(
                      StreamReadConstraints.builder().maxNestingDepth(10_000).build())
                  .build())
          .build();

  private final Map<String, Object> document;
  private final List<Template> templates;
  private final SchemaRegistry registry;
  private final Map<String, Schema> schemas = new ConcurrentHashMap<>();
  private final Map<String, AtomicInteger> looks = new ConcurrentHashMap<>();

  /// One path.
  ///
  /// @param name as the file has it
  /// @param segments of a whole path
  private record Template(String name, List<String> segments) {
    boolean matches(List<String> path) {
      if (path.size() != segments.size()) {
        return false;
      }
      for (int i = 0; i < path.size(); i++) {
        String segment = segments.get(i);
        if (segment.startsWith("{") ? path.get(i).isEmpty() : !segment.equals(path.get(i))) {
          return false;
        }
      }
      return true;
    }

    boolean isApi() {
      return segments.size() > 2;
    }
  }

  private static final class Holder {
    static final OpenApi FROM_FILE = new OpenApi(read());
  }

  private static String read() {
    try {
      return Files.readString(FILE);
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private OpenApi(String text) {
    document = object(new Yaml(new SafeConstructor(new LoaderOptions())).load(text));
    templates =
        paths().keySet().stream()
            .map(name ->
                new Template(
                    name, segments((isOutsideThePrefix(name) ? "" : Application.API) + name)))
            .toList();
    registry =
        SchemaRegistry.withDialect(
            Dialects.getOpenApi31(), builder -> builder.schemas(Map.of(IRI, text)));
  }

  /// What the file says.
  static OpenApi ofFile() {
    return Holder.FROM_FILE;
  }

  private static List<String> segments(String path) {
    return List.of(path.split("/", -1));
  }

  /// A mapping of the file; an empty one where there is none.
  @SuppressWarnings("unchecked") // a YAML document without anything but strings for keys
  static Map<String, Object> object(@Nullable Object value) {
    return value == null ? Map.of() : (Map<String, Object>) value;
  }

  /// The paths as the file has them.
  Map<String, Object> paths() {
    return object(document.get("paths"));
  }

  /// The methods of a path, in lower case.
  Map<String, Object> operations(String path) {
    return object(paths().get(path));
  }

  /// Whether a path begins at the root of the server.
  boolean isOutsideThePrefix(String path) {
    return operations(path).containsKey("servers");
  }

  /// Looks at a reply to a request, if there were not enough of its kind before.
  ///
  /// @throws AssertionError when it is not as the file says
  void check(HttpRequest request, HttpReply reply) {
    String path = request.target().split("[?#]", 2)[0];
    Optional<Template> template = template(path);
    boolean isOurs = template.isPresent() || path.startsWith(Application.API + "/");
    if (!isOurs || request.method().equals("OPTIONS")) {
      return;
    }
    String route = request.method() + " " + template.map(Template::name).orElse("");
    if (looks
            .computeIfAbsent(
                route + " " + reply.status() + " " + reply.headers("Content-Type"),
                _ -> new AtomicInteger())
            .getAndIncrement()
        < LOOKS) {
      checkAgain(request, reply, template);
    }
  }

  private Optional<Template> template(String path) {
    List<String> segments = segments(path);
    return templates.stream()
        .filter(template -> template.matches(segments))
        // a fixed segment goes before a parameter
        .min((a, b) -> Boolean.compare(a.name.contains("{"), b.name.contains("{")));
  }

  /// Looks at a reply, however many there were.
  ///
  /// @throws AssertionError when it is not as the file says
  void checkOne(HttpRequest request, HttpReply reply) {
    checkAgain(request, reply, template(request.target().split("[?#]", 2)[0]));
  }

  private void checkAgain(HttpRequest request, HttpReply reply, Optional<Template> template) {
    String what =
        "openapi.yaml does not have this answer of %s %s: %s"
            .formatted(
                request.method(),
                template.map(Template::name).orElse("a path that is no route"),
                reply.statusLine());
    String pointer = response(request, reply, template).orElseThrow(() -> new AssertionError(what));
    Map<String, Object> response = object(at(pointer));
    object(response.get("headers"))
        .keySet()
        .forEach(name -> checkHeader(name, pointer + "/headers/" + escaped(name), reply, what));
    boolean hasNoBody = request.method().equals("HEAD") || reply.status() == 304;
    checkBody(object(response.get("content")), pointer + "/content/", reply, hasNoBody, what);
  }

  /// Where the response stands that a reply is one of.
  private Optional<String> response(
      HttpRequest request, HttpReply reply, Optional<Template> template) {
    String status = Integer.toString(reply.status());
    if (template.isPresent()) {
      boolean isHeadOfFile = request.method().equals("HEAD") && !template.get().isApi();
      String method = isHeadOfFile ? "get" : request.method().toLowerCase(Locale.ROOT);
      String responses = "/paths/" + escaped(template.get().name) + "/" + method + "/responses/";
      if (has(responses + status)) {
        return Optional.of(resolved(responses + status));
      }
      if (has("/paths/" + escaped(template.get().name) + "/" + method)
          && !has(responses + "default")) {
        return Optional.empty();
      }
    }
    return list(at(ANY + "/x-statuses")).contains(status)
        ? Optional.of("/components/responses/" + status)
        : Optional.empty();
  }

  /// A list of the file; an empty one where there is none.
  static List<?> list(@Nullable Object value) {
    return value == null ? List.of() : (List<?>) value;
  }

  private void checkHeader(String name, String pointer, HttpReply reply, String what) {
    String header = resolved(pointer);
    String value = reply.header(name);
    if (value == null) {
      if (Boolean.TRUE.equals(object(at(header)).get("required"))) {
        throw new AssertionError(what + " without " + name);
      }
      return;
    }
    String schema = header + "/schema";
    boolean isNumber = "integer".equals(object(at(schema)).get("type"));
    validate(
        schema,
        isNumber && value.matches("[0-9]{1,18}")
            ? LongNode.valueOf(Long.parseLong(value))
            : StringNode.valueOf(value),
        what + ", " + name);
  }

  private void checkBody(
      Map<String, Object> content,
      String pointer,
      HttpReply reply,
      boolean hasNoBody,
      String what) {
    String header = reply.header("Content-Type");
    String type = header == null ? "" : header.split(";", 2)[0].strip();
    if (hasNoBody && type.isEmpty()) {
      return;
    }
    if (content.isEmpty()) {
      if ((!type.isEmpty() && !hasNoBody) || !reply.body().isEmpty()) {
        throw new AssertionError(what + " with a body, " + type);
      }
      return;
    }
    if (!content.containsKey(type)) {
      throw new AssertionError(what + " as " + type);
    }
    boolean isJson = type.endsWith("json");
    if (hasNoBody
        || !isJson
        || !reply.headers("Content-Encoding").isEmpty()
        || reply.body().length() > MAX_LENGTH) {
      return;
    }
    String schema = pointer + escaped(type) + "/schema";
    if (type.equals("application/x-ndjson")) {
      reply.body().lines().limit(LOOKS).forEach(line -> validate(schema, json(line, what), what));
    } else {
      JsonNode body = json(reply.body(), what);
      validate(schema, body, what);
      if (type.startsWith("application/problem") && body.get("status").asInt() != reply.status()) {
        throw new AssertionError(what + " with another status in the body");
      }
    }
  }

  private static JsonNode json(String text, String what) {
    try {
      return JSON.readTree(text);
    } catch (JacksonException e) {
      throw new AssertionError(what + " with what is no JSON: " + text, e);
    }
  }

  private void validate(String pointer, JsonNode value, String what) {
    List<Error> errors = schema(pointer).validate(value);
    if (!errors.isEmpty()) {
      throw new AssertionError(what + ": " + errors + " in " + value);
    }
  }

  /// The schema at a place of the file.
  Schema schema(String pointer) {
    return schemas.computeIfAbsent(
        pointer, at -> registry.getSchema(SchemaLocation.of(IRI + "#" + at)));
  }

  /// What stands at a place.
  @Nullable Object at(String pointer) {
    Object value = document;
    for (String name : pointer.substring(1).split("/", -1)) {
      String key = name.replace("~1", "/").replace("~0", "~");
      value = value instanceof Map<?, ?> map ? map.get(key) : null;
    }
    return value;
  }

  private boolean has(String pointer) {
    return at(pointer) != null;
  }

  /// Where that stands which stands at a place, or to which it refers.
  private String resolved(String pointer) {
    return object(at(pointer)).get("$ref") instanceof String target ? target.substring(1) : pointer;
  }

  /// A name within a JSON pointer (RFC 6901, section 3).
  static String escaped(String name) {
    return name.replace("~", "~0").replace("/", "~1");
  }

  /// Where references lead that stand anywhere in the file.
  List<String> references() {
    List<String> found = new ArrayList<>();
    collect(document, found);
    return found;
  }

  private static void collect(@Nullable Object value, List<String> found) {
    if (value instanceof Map<?, ?> map) {
      if (map.get("$ref") instanceof String target) {
        found.add(target);
      }
      map.values().forEach(each -> collect(each, found));
    } else if (value instanceof List<?> list) {
      list.forEach(each -> collect(each, found));
    }
  }
}
