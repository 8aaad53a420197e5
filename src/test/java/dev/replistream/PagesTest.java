package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.function.Predicate;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// The documentation is whole: what it names exists, and what exists is named where its readers
/// look for it. {@link SnippetsTest} runs what it shows.
class PagesTest {
  private static final int MOST_WORDS_OF_README = 900;
  private static final Path SOURCES = Path.of("src", "main", "java");
  private static final Pattern EVENT = Pattern.compile("\"event=([a-z-]+)[ \"]");
  private static final Pattern ANY_EVENT = Pattern.compile("\"event=");
  private static final Pattern ROUTE = Pattern.compile("Method\\.(\\w+),\\s*API \\+ \"([^\"]+)\"");
  private static final Pattern NAMED_EVENT = Pattern.compile("`event=([a-z-]+)`");
  private static final Pattern METRIC =
      Pattern.compile("`(replistream_(?!token`)\\w+)(?:\\{(\\w+=\"[a-z-]+\")\\})?`");

  private static final Pattern KEY =
      Pattern.compile(
          "`(admin-host|data-dir|(?:auth|cors|db|http|journal|limits|log|presence|redis|rooms|stream|sync)\\.[a-z-]+)`");

  private static TestService service;

  @BeforeAll
  static void start() {
    service =
        TestService.start(
            "MUTATORS_FILE",
            "src/test/resources/dev/replistream/rules.mjs",
            "MUTATORS_URL",
            "http://127.0.0.1:9/",
            "MUTATORS_SECRET",
            "whsec_" + "A".repeat(32));
  }

  @AfterAll
  static void stop() {
    service.close();
  }

  private static List<Page> all() {
    return Page.all();
  }

  @Test
  void theReadmeIsShort() {
    assertThat(Page.of("README.md").text().strip().split("\\s+"))
        .hasSizeLessThanOrEqualTo(MOST_WORDS_OF_README);
  }

  @Test
  void theReadmeSaysInOneLineHowToRunAndHowToTest() {
    assertThat(Page.of("README.md").text())
        .contains(
            "\n## Run it\n", "\n    mvn compile exec:exec\n", "\n## Test it\n\n    etc/test\n");
  }

  @Test
  void theReadmeLeadsToEachPage() {
    List<String> links = Page.of("README.md").links();
    assertThat(all().stream().map(page -> page.path().toString()))
        .filteredOn(path -> !path.equals("README.md") && !path.startsWith("src/"))
        .isSubsetOf(links.stream().map(link -> link.split("#", 2)[0]).toList());
  }

  private static List<Page> withLinks() {
    return Stream.concat(all().stream(), Stream.of(Page.of("etc/decisions.md"))).toList();
  }

  @ParameterizedTest
  @MethodSource("withLinks")
  void eachLinkLeadsSomewhere(Page page) {
    for (String link : page.links()) {
      if (!link.contains("://")) {
        String[] parts = link.split("#", 2);
        Path folder = Optional.ofNullable(page.path().getParent()).orElse(Path.of(""));
        Path target = parts[0].isEmpty() ? page.path() : folder.resolve(parts[0]).normalize();
        assertThat(target).as(link).exists();
        if (parts.length > 1) {
          assertThat(Page.of(target.toString()).anchors()).as("%s", target).contains(parts[1]);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("all")
  void eachKeyMetricAndEventThatAPageNamesExists(Page page) throws IOException {
    KEY.matcher(page.text())
        .results()
        .forEach(key -> assertThat(ServiceSettings.KEYS).contains(key.group(1)));
    Set<String> samples = service.client().metrics().keySet();
    METRIC
        .matcher(page.text())
        .results()
        .filter(metric -> !metric.group(1).equals("replistream_redis_up"))
        .forEach(metric ->
            assertThat(samples)
                .as(metric.group())
                .anyMatch(isOf(metric.group(1), metric.group(2))));
    NAMED_EVENT
        .matcher(page.text())
        .results()
        .forEach(event -> assertThat(eventsOfSources()).contains(event.group(1)));
  }

  private static Predicate<String> isOf(String metric, String label) {
    return sample ->
        sample.split("\\{", 2)[0].replaceAll("_(bucket|count|sum|max)$", "").equals(metric)
            && sample.contains(label == null ? "" : label);
  }

  @Test
  void eachKeyStandsInTheConfigurationWithItsVariable() {
    List<List<String>> rows = configuration();

    assertThat(rows.stream().map(row -> key(row)))
        .containsExactlyInAnyOrderElementsOf(ServiceSettings.KEYS);
    for (List<String> row : rows) {
      assertThat(row.get(3)).isEqualTo("`" + ServiceSettings.variable(key(row)) + "`");
      assertThat(row.get(4)).as("what %s is for", key(row)).isNotEmpty();
    }
  }

  private static List<List<String>> configuration() {
    return Page.of("docs/configuration.md").rows().stream()
        .filter(row -> row.getFirst().startsWith("`"))
        .toList();
  }

  private static String key(List<String> row) {
    return Page.code(row.getFirst()).getFirst();
  }

  @Test
  void eachKeyStandsInTheConfigurationWithItsDefault() {
    Map<String, String> defaults =
        SettingsFile.defaults(ServiceSettings.KEYS, ServiceSettings.LISTS);
    for (List<String> row : configuration()) {
      String key = key(row);
      String stated = row.get(1);
      if (key.equals("cors.allow-headers")) {
        assertThat(Page.of("docs/configuration.md").prose())
            .contains(defaults.getOrDefault(key, "").split(","));
      } else if (defaults.containsKey(key)) {
        assertThat(Page.code(stated)).as(key).first().isEqualTo(defaults.get(key));
      } else {
        assertThat(stated).as(key).isNotEmpty();
      }
    }
  }

  /// What is written as `A to B` is what the server itself says of a value beyond it.
  @Test
  void eachRangeInTheConfigurationIsTheServersOwn() {
    for (List<String> row : configuration()) {
      if (row.get(2).matches("\\S+ to \\S+")) {
        String bad = row.get(2).startsWith("PT") ? "-PT1S" : "-1";
        assertThat(refusal(key(row), bad))
            .isEqualTo("replistream.%s: from %s, not %s".formatted(key(row), row.get(2), bad));
      }
    }
  }

  @Test
  void eachKeyWithALeastAndAMostStandsInTheConfigurationWithThem() {
    for (List<String> row : configuration()) {
      String refusal = refusal(key(row), "-1") + refusal(key(row), "-PT1S");
      if (refusal.contains(": from ")) {
        assertThat(row.get(2)).as(key(row)).matches("\\S+ to \\S+");
      }
    }
  }

  private static String refusal(String key, String value) {
    try {
      ServiceSettings.load(Optional.empty(), Map.of(ServiceSettings.variable(key), value));
      return "";
    } catch (SettingsException e) {
      return String.valueOf(e.getMessage());
    }
  }

  @Test
  void eachMetricStandsOnThePageForOperators() {
    Set<String> named =
        Page.of("docs/operate.md").rows("## Health and metrics").stream()
            .flatMap(row -> Page.code(row.getFirst()).stream())
            .filter(name -> name.startsWith("replistream_"))
            .collect(Collectors.toCollection(TreeSet::new));
    Set<String> there =
        service.client().metrics().keySet().stream()
            .map(sample -> sample.split("\\{", 2)[0].replaceAll("_(bucket|count|sum|max)$", ""))
            .filter(name -> name.startsWith("replistream_"))
            .collect(Collectors.toCollection(TreeSet::new));
    there.add("replistream_redis_up"); // only where there is Redis

    assertThat(named).isEqualTo(there);
  }

  @Test
  void eachReasonOfARefusedTokenAndOfAStreamsEndIsExplained() {
    assertThat(firstColumn(Page.of("docs/tokens.md").rows("## Refused tokens")))
        .isEqualTo(labels("replistream_token_failures_total"));
    assertThat(firstColumn(Page.of("docs/runbook.md").rows("## Why streams end")))
        .isEqualTo(labels("replistream_connections_closed_total"));
  }

  private static Set<String> firstColumn(List<List<String>> rows) {
    return rows.stream()
        .flatMap(row -> Page.code(row.getFirst()).stream())
        .collect(Collectors.toCollection(TreeSet::new));
  }

  private static Set<String> labels(String metric) {
    Pattern reason = Pattern.compile(Pattern.quote(metric) + "\\{.*?reason=\"([a-z-]+)\".*");
    return service.client().metrics().keySet().stream()
        .map(reason::matcher)
        .filter(Matcher::matches)
        .map(matcher -> matcher.group(1))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void eachEventOfTheLogStandsInTheRunbookAndNoOther() {
    Set<String> named =
        Page.of("docs/runbook.md").rows().stream()
            .filter(row -> row.size() == 4)
            .flatMap(row -> Page.code(row.getFirst()).stream())
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(named).isEqualTo(eventsOfSources());
  }

  /// Names are written out where they are logged, so that they can be found.
  private static Set<String> eventsOfSources() {
    String sources = sources();
    List<String> names = EVENT.matcher(sources).results().map(event -> event.group(1)).toList();
    assertThat(ANY_EVENT.matcher(sources).results()).hasSameSizeAs(names);
    return new TreeSet<>(names);
  }

  private static String sources() {
    try (Stream<Path> files = Files.walk(SOURCES)) {
      StringBuilder all = new StringBuilder();
      for (Path file : files.filter(each -> each.toString().endsWith(".java")).toList()) {
        all.append(Files.readString(file));
      }
      return all.toString();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @Test
  void eachRouteStandsOnThePageOfTheApi() throws IOException {
    Set<String> named =
        Page.of("docs/api.md").rows().stream()
            .flatMap(row -> Page.code(row.getFirst()).stream())
            .filter(code -> code.matches("[A-Z]+ /\\S+"))
            .collect(Collectors.toCollection(TreeSet::new));

    assertThat(named).hasSizeGreaterThan(15).isEqualTo(routes());
  }

  /// The routes of the API, such as `GET /stats`.
  static Set<String> routes() throws IOException {
    return ROUTE
        .matcher(Files.readString(SOURCES.resolve("dev/replistream/Application.java")))
        .results()
        .map(route -> route.group(1) + " " + route.group(2))
        .collect(Collectors.toCollection(TreeSet::new));
  }

  @Test
  void eachPackageIsInThePictureOfThePackages() throws IOException {
    String picture = Page.of("CONTRIBUTING.md").blocks("text").getFirst();
    try (Stream<Path> folders = Files.list(SOURCES.resolve("dev/replistream"))) {
      List<String> packages =
          folders.filter(Files::isDirectory).map(each -> each.getFileName().toString()).toList();
      assertThat(picture.lines().map(line -> line.strip().split(" ", 2)[0])).containsAll(packages);
    }
  }
}
