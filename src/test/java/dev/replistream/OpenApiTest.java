package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.nio.file.Files;
import java.util.HashSet;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// `openapi.yaml` describes the routes that there are, and whoever answers in another way is found:
/// {@link ServiceClient} compares each answer that any test gets.
class OpenApiTest {
  private static final OpenApi API = OpenApi.ofFile();
  private static final Pattern PARAMETER = Pattern.compile("\\{(\\w+)}");
  private static final Set<String> METHODS = Set.of("get", "put", "post", "patch", "delete");
  private static final String PROBLEM = "{'title':'T','status':%s,'detail':'D'}";

  @Test
  void eachRouteIsDescribedAndNoOther() throws IOException {
    Set<String> described =
        API.paths().keySet().stream()
            .filter(path -> !API.isOutsideThePrefix(path))
            .flatMap(path ->
                API.operations(path).keySet().stream()
                    .filter(METHODS::contains)
                    .map(method -> method.toUpperCase(Locale.ROOT) + " " + path))
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(described).isEqualTo(PagesTest.routes());
  }

  @Test
  void eachFileThatIsDescribedIsThere() {
    try (TestService service = TestService.start()) {
      for (String path : API.paths().keySet()) {
        if (API.isOutsideThePrefix(path)) {
          assertThat(service.client().send(HttpRequest.of("GET", path)).status())
              .as(path)
              .isEqualTo(200);
          assertThat(service.client().send(HttpRequest.of("HEAD", path)).status())
              .as(path)
              .isEqualTo(200);
        }
      }
    }
  }

  @Test
  void whatIsServedIsTheFile() throws IOException {
    try (TestService service = TestService.start()) {
      assertThat(service.client().send(HttpRequest.of("GET", "/openapi.yaml")).body())
          .isEqualTo(Files.readString(OpenApi.FILE))
          .startsWith("openapi: 3.1.");
    }
  }

  @Test
  void eachReferenceLeadsSomewhereAndEachComponentIsReferredTo() {
    Set<String> references = new TreeSet<>(API.references());

    assertThat(references).allMatch(target -> API.at(target.substring(1)) != null);
    List<?> statuses = OpenApi.list(API.at("/components/responses/Any/x-statuses"));
    for (String kind : List.of("parameters", "headers", "requestBodies", "responses", "schemas")) {
      for (String name : OpenApi.object(API.at("/components/" + kind)).keySet()) {
        assertThat(
                references.contains("#/components/" + kind + "/" + name) || statuses.contains(name))
            .as("%s %s", kind, name)
            .isTrue();
      }
    }
  }

  @Test
  void eachOperationHasItsOwnIdASummaryATagAndTheParametersOfItsPath() {
    Set<@Nullable Object> ids = new HashSet<>();
    for (String path : API.paths().keySet()) {
      Set<Object> named =
          PARAMETER
              .matcher(path)
              .results()
              .map(name -> name.group(1))
              .collect(Collectors.toCollection(TreeSet::new));
      assertThat(parametersOfPath(path)).as(path).isEqualTo(named);
      for (String method : API.operations(path).keySet()) {
        if (METHODS.contains(method)) {
          Map<String, Object> operation = OpenApi.object(API.operations(path).get(method));
          assertThat(ids.add(operation.get("operationId"))).as("%s %s", method, path).isTrue();
          assertThat(operation.get("summary")).asString().isNotBlank();
          assertThat(OpenApi.list(operation.get("tags"))).hasSize(1);
          assertThat(OpenApi.object(operation.get("responses"))).containsKey("default");
        }
      }
    }
  }

  private static Set<Object> parametersOfPath(String path) {
    return OpenApi.list(API.operations(path).get("parameters")).stream()
        .map(OpenApi::object)
        .map(each ->
            each.get("$ref") instanceof String target
                ? OpenApi.object(API.at(target.substring(1)))
                : each)
        .filter(each -> "path".equals(each.get("in")))
        .map(each -> each.get("name"))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  /// As the tests say them, so that a client that is made of the file reads what they read.
  @Test
  void answersThatAreDescribedPass() {
    assertThatCode(
            () -> {
              check(
                  "GET /stats 200",
                  "{'userId':'a','userConnections':1,'totalConnections':2,%s}",
                  "");
              check("GET /rooms/a%2Fb/entries/k 200", "[1,{'any':null}]", "ETag: \"3\"");
              check("POST /push 200", "{'error':'ClientStateNotFound'}", "");
              check("GET /nothing 404", PROBLEM.formatted(404), "");
              check("PUT /stats 405", PROBLEM.formatted(405), "Allow: GET");
              check("DELETE /rooms/a 204", "", "");
            })
        .doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "GET /stats 200|{'userId':'a','userConnections':1,'totalConnections':2,%s,'new':1}|",
        "GET /stats 200|{'userId':'a','userConnections':'1','totalConnections':2,%s}|",
        "GET /stats 200|{'userId':'a','userConnections':1,%s}|",
        "GET /stats 200|no JSON|",
        "GET /stats 201|{'userId':'a','userConnections':1,'totalConnections':2,%s}|",
        "GET /stats 409|{'title':'T','status':409,'detail':'D'}|",
        "GET /stats 500|{'title':'T','status':500,'detail':'D'}|",
        "GET /stats 404|{'title':'T','status':404,'detail':'D','trace':'java.lang'}|",
        "GET /stats 404|{'title':'T','status':403,'detail':'D'}|",
        "GET /stats 401|{'title':'T','status':401,'detail':'D'}|",
        "PUT /stats 405|{'title':'T','status':405,'detail':'D'}|",
        "GET /nothing 200|{}|",
        "GET /rooms/a/entries/k 200|1|",
        "GET /rooms/a/entries/k 200|1|ETag: 3",
        "DELETE /rooms/a 204|{}|",
        "POST /push 200|{'error':'Other'}|",
      })
  void answersThatAreNotDescribedAreFound(String line, String body, String header) {
    assertThatThrownBy(() -> check(line, body, header == null ? "" : header))
        .isInstanceOf(AssertionError.class)
        .hasMessageContaining("openapi.yaml");
  }

  private static void check(String line, String body, String header) {
    String[] words = line.split(" ", 3);
    String type =
        body.isEmpty()
            ? ""
            : words[2].compareTo("400") < 0 ? "application/json" : "application/problem+json";
    List<Map.Entry<String, String>> headers =
        Stream.of("Content-Type: " + type, header)
            .map(each -> Pattern.compile("([^:]+): (.+)").matcher(each))
            .filter(Matcher::matches)
            .map(each -> Map.entry(each.group(1).toLowerCase(Locale.ROOT), each.group(2)))
            .toList();
    API.checkOne(
        HttpRequest.api(words[0], words[1]),
        new HttpReply(
            "HTTP/1.1 " + words[2] + " Status",
            headers,
            body.replace('\'', '"').replace("%s", "\"timestamp\":\"2026-11-23T12:00:00.000Z\"")));
  }
}
