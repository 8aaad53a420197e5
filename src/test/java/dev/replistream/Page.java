package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Set;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import java.util.stream.Stream;

/// A page of the documentation. Immutable.
///
/// @param path within the source tree
/// @param text in Markdown
record Page(Path path, String text) {
  private static final Path FOLDER = Path.of("docs");
  private static final Pattern FENCED =
      Pattern.compile("^```(\\w*)(?: ([\\w-]+))?\\n(.*?)^```$", Pattern.DOTALL | Pattern.MULTILINE);
  private static final Pattern INDENTED =
      Pattern.compile("(?<=\\n\\n)((?: {4}.*\\n)+)", Pattern.MULTILINE);
  private static final Pattern LINK = Pattern.compile("(?<!!)\\[[^\\]]*]\\(([^)\\s]+)\\)");
  private static final Pattern HEADING = Pattern.compile("^#+ (.*)$", Pattern.MULTILINE);
  private static final Pattern ANCHOR = Pattern.compile("<a id=\"([\\w-]+)\">");
  private static final Pattern CODE = Pattern.compile("`([^`]+)`");

  /// A block of code.
  ///
  /// @param language as the fence says; empty for one that is indented
  /// @param tag the word after it, or an empty one
  record Block(String language, String tag, String text) {}

  /// All pages.
  static List<Page> all() {
    try (Stream<Path> docs = Files.list(FOLDER)) {
      Stream<String> others =
          Stream.of(
              "README.md",
              "CONTRIBUTING.md",
              "CHANGELOG.md",
              "SECURITY.md",
              "src/main/js/README.md");
      return Stream.concat(
              others.map(name -> Path.of(name)),
              docs.filter(file -> file.toString().endsWith(".md")).sorted())
          .map(Page::read)
          .toList();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The page at `path`, such as `docs/api.md`.
  static Page of(String path) {
    return read(Path.of(path));
  }

  private static Page read(Path path) {
    try {
      return new Page(path, Files.readString(path));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// The blocks of code, in their order: those between fences, then those that are indented.
  List<Block> blocks() {
    String rest = FENCED.matcher(text).replaceAll("");
    assertThat(rest).as("a fence in %s that is not closed", path).doesNotContain("\n```");
    return Stream.concat(
            FENCED
                .matcher(text)
                .results()
                .map(block ->
                    new Block(
                        block.group(1),
                        block.group(2) == null ? "" : block.group(2),
                        block.group(3))),
            INDENTED
                .matcher(rest)
                .results()
                .map(block -> new Block("", "", block.group(1).stripIndent())))
        .toList();
  }

  /// The texts of the blocks of a language.
  List<String> blocks(String language) {
    return blocks().stream()
        .filter(block -> block.language.equals(language))
        .map(Block::text)
        .toList();
  }

  /// What stands outside of blocks.
  String prose() {
    return FENCED.matcher(text).replaceAll("");
  }

  /// Where links lead, as they are written.
  List<String> links() {
    return LINK.matcher(prose()).results().map(link -> link.group(1)).toList();
  }

  /// The fragments that a link to this page may have, as GitHub makes them of headings.
  Set<String> anchors() {
    return Stream.concat(
            HEADING.matcher(prose()).results().map(heading -> slug(heading.group(1))),
            ANCHOR.matcher(text).results().map(anchor -> anchor.group(1)))
        .collect(Collectors.toSet());
  }

  private static String slug(String heading) {
    return heading.toLowerCase(Locale.ROOT).replaceAll("[^\\p{L}\\p{N} _-]", "").replace(' ', '-');
  }

  /// The rows of all tables below the heading `heading`, down to the next one, by their cells.
  List<List<String>> rows(String heading) {
    String from = "\n" + heading + "\n";
    assertThat(text).as("%s", path).contains(from);
    String below = text.substring(text.indexOf(from) + from.length()).split("\n#", 2)[0];
    return rowsOf(below);
  }

  /// The rows of all tables.
  List<List<String>> rows() {
    return rowsOf(prose());
  }

  private static List<List<String>> rowsOf(String text) {
    return text.lines()
        .filter(line -> line.startsWith("| ") && !line.startsWith("| ---"))
        .map(line -> line.substring(2, line.length() - 2).split(" \\| ?", -1))
        .map(cells -> Arrays.stream(cells).map(String::strip).toList())
        .toList();
  }

  /// What a cell or a sentence sets as code.
  static List<String> code(String text) {
    return CODE.matcher(text).results().map(code -> code.group(1)).toList();
  }

  @Override
  public String toString() {
    return path.toString();
  }
}
