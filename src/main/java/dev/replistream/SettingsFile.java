package dev.replistream;

import java.io.IOException;
import java.io.InputStream;
import java.io.StringReader;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.yaml.snakeyaml.LoaderOptions;
import org.yaml.snakeyaml.Yaml;
import org.yaml.snakeyaml.composer.ComposerException;
import org.yaml.snakeyaml.error.Mark;
import org.yaml.snakeyaml.error.MarkedYAMLException;
import org.yaml.snakeyaml.error.YAMLException;
import org.yaml.snakeyaml.nodes.MappingNode;
import org.yaml.snakeyaml.nodes.Node;
import org.yaml.snakeyaml.nodes.NodeTuple;
import org.yaml.snakeyaml.nodes.ScalarNode;
import org.yaml.snakeyaml.nodes.SequenceNode;
import org.yaml.snakeyaml.nodes.Tag;
import org.yaml.snakeyaml.reader.ReaderException;

/// The settings in one YAML file, each as the text that stands there: `0123` is no octal number and
/// `no` is no truth. Nothing in the file is passed over: whatever is no setting is refused with its
/// line. JSON is YAML too. Confined to one thread.
final class SettingsFile {
  private static final String ROOT = "replistream";
  private static final int MAX_BYTES = 1 << 20;
  private static final int MAX_DEPTH = 8; // an alias may make a mapping endless
  private static final String DEFAULTS = "application.yaml";

  /// What a value is of that has no tag written before it (YAML 1.1, core types).
  private static final Set<Tag> PLAIN =
      Set.of(Tag.STR, Tag.INT, Tag.FLOAT, Tag.BOOL, Tag.TIMESTAMP, Tag.MERGE);

  /// Tabs before a line, which JSON may have and the parser of YAML does not take.
  private static final Pattern INDENTATION = Pattern.compile("(?m)^[ \t]+");

  /// Of these JSON has one more, that of the slash.
  private static final Pattern ESCAPE = Pattern.compile("(?s)\\\\.");

  private final String place;
  private final Set<String> keys;
  private final Set<String> lists;
  private final Map<String, String> values = new LinkedHashMap<>();
  private final Map<String, Integer> lines = new LinkedHashMap<>();

  private SettingsFile(String place, Set<String> keys, Set<String> lists) {
    this.place = place;
    this.keys = keys;
    this.lists = lists;
  }

  /// The defaults of this service.
  static Map<String, String> defaults(Set<String> keys, Set<String> lists) {
    try (InputStream in =
        Objects.requireNonNull(SettingsFile.class.getResourceAsStream(DEFAULTS))) {
      return new SettingsFile(DEFAULTS, keys, lists).parse(in.readAllBytes());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Reads a file, whatever its name.
  ///
  /// @param keys all that may stand there, without the leading `replistream.`
  /// @param lists those of them that take several values, which come with commas between them
  /// @throws SettingsException when it can't be read, is no YAML, or has anything else in it
  static Map<String, String> read(Path path, Set<String> keys, Set<String> lists) {
    try (InputStream in = Files.newInputStream(path)) {
      byte[] bytes = in.readNBytes(MAX_BYTES + 1);
      if (bytes.length > MAX_BYTES) {
        throw new SettingsException("--config: " + path + " is larger than 1 MiB");
      }
      return new SettingsFile(path.toString(), keys, lists).parse(bytes);
    } catch (IOException _) {
      throw new SettingsException("--config: can't read the file " + path);
    }
  }

  private Map<String, String> parse(byte[] bytes) {
    String text = text(bytes);
    Node root = root(text.stripLeading().startsWith("{") ? jsonAsYaml(text) : text);
    if (root == null || isEmpty(root)) {
      return values;
    }
    if (!(root instanceof MappingNode mapping)) {
      throw new SettingsException(
          "--config: in %s settings stand below %s:, such as %s.port: 8000"
              .formatted(place, ROOT, ROOT));
    }
    walk("", mapping, 0);
    return values;
  }

  private String text(byte[] bytes) {
    try {
      String text = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes)).toString();
      return text.startsWith("\uFEFF") ? text.substring(1) : text;
    } catch (CharacterCodingException _) {
      throw new SettingsException("--config: " + place + " is not in UTF-8");
    }
  }

  private static String jsonAsYaml(String json) {
    String spaced =
        INDENTATION.matcher(json).replaceAll(match -> " ".repeat(match.group().length()));
    return ESCAPE
        .matcher(spaced)
        .replaceAll(
            match -> Matcher.quoteReplacement(match.group().equals("\\/") ? "/" : match.group()));
  }

  private @Nullable Node root(String text) {
    try {
      return new Yaml(new LoaderOptions()).compose(new StringReader(text));
    } catch (ComposerException e) {
      throw String.valueOf(e.getContext()).startsWith("expected a single document")
          ? new SettingsException(
              "--config: %s holds more than one document; settings stand in one: take out the --- in line %s"
                  .formatted(place, e.getProblemMark().getLine() + 1))
          : invalid(e);
    } catch (MarkedYAMLException e) {
      throw invalid(e);
    } catch (ReaderException e) {
      String before = text.substring(0, text.offsetByCodePoints(0, e.getPosition()));
      throw invalid(
          Math.toIntExact(before.chars().filter(c -> c == '\n').count()),
          before.length() - before.lastIndexOf('\n') - 1);
    } catch (YAMLException _) {
      throw invalid(0, 0);
    }
  }

  private SettingsException invalid(MarkedYAMLException e) {
    Mark mark = e.getProblemMark() == null ? e.getContextMark() : e.getProblemMark();
    return invalid(mark == null ? 0 : mark.getLine(), mark == null ? 0 : mark.getColumn());
  }

  /// Without what the parser says, which may hold a part of a value.
  private SettingsException invalid(int line, int column) {
    return new SettingsException(
        "--config: %s is not valid YAML at line %s, column %s; values with special characters need"
                .formatted(place, line + 1, column + 1)
            + " quotes, and lines begin with spaces, not tabs");
  }

  private void walk(String path, MappingNode mapping, int depth) {
    if (!Tag.MAP.equals(mapping.getTag())) {
      throw tagged(path.isEmpty() ? ROOT : path, mapping);
    }
    for (NodeTuple tuple : mapping.getValue()) {
      if (!(tuple.getKeyNode() instanceof ScalarNode name) || depth == MAX_DEPTH) {
        throw bad(path.isEmpty() ? ROOT : path, "no name of a setting", tuple.getKeyNode());
      }
      String key = path.isEmpty() ? name.getValue() : path + "." + name.getValue();
      Node value = tuple.getValueNode();
      if (isKnown(key)) {
        put(key, value);
      } else if (isEmpty(value) && !isSection(key)) {
        throw unknown(key, name);
      } else if (isEmpty(value) && !key.equals(ROOT)) {
        throw bad(key, "no setting stands below it: leave it out, or give " + example(key), name);
      } else if (value instanceof MappingNode below) {
        walk(key, below, depth + 1);
      } else if (isSection(key) && !isEmpty(value)) {
        throw bad(
            key, "this is no setting; settings stand below it, such as " + example(key), name);
      } else if (!isSection(key)) {
        throw unknown(key, name);
      }
    }
  }

  private boolean isKnown(String key) {
    return key.startsWith(ROOT + ".") && keys.contains(key.substring(ROOT.length() + 1));
  }

  private boolean isSection(String key) {
    return keys.stream().anyMatch(known -> (ROOT + "." + known).startsWith(key + "."));
  }

  private String example(String section) {
    return keys.stream()
        .map(known -> ROOT + "." + known)
        .filter(known -> known.startsWith(section + "."))
        .sorted()
        .findFirst()
        .orElseThrow();
  }

  private void put(String key, Node value) {
    String text =
        switch (value) {
          case ScalarNode scalar -> scalar(key, scalar);
          case SequenceNode sequence when lists.contains(key.substring(ROOT.length() + 1)) ->
              list(key, sequence);
          default ->
              throw bad(
                  key,
                  value instanceof SequenceNode
                      ? "one value is meant here, not a list"
                      : "a value is meant here, and no settings below it",
                  value);
        };
    if (values.put(key.substring(ROOT.length() + 1), text) != null) {
      throw bad(key, "it stands there twice, first in line " + lines.get(key), value);
    }
    lines.put(key, line(value));
  }

  private String list(String key, SequenceNode sequence) {
    if (!Tag.SEQ.equals(sequence.getTag())) {
      throw tagged(key, sequence);
    }
    List<String> items = new ArrayList<>();
    for (Node item : sequence.getValue()) {
      if (!(item instanceof ScalarNode scalar)) {
        throw bad(key, "a list of single values is meant here", item);
      }
      items.add(scalar(key, scalar));
    }
    if (items.isEmpty()) {
      throw empty(key, sequence);
    }
    return String.join(",", items);
  }

  private String scalar(String key, ScalarNode scalar) {
    if (!isEmpty(scalar) && !PLAIN.contains(scalar.getTag())) {
      throw tagged(key, scalar);
    }
    if (isEmpty(scalar) || scalar.getValue().isBlank()) {
      throw empty(key, scalar);
    }
    if (scalar.getValue().indexOf(ServiceSettings.UNREADABLE) >= 0) {
      throw bad(key, "it has a character U+FFFD, which stands for a letter that was lost", scalar);
    }
    return scalar.getValue();
  }

  private static boolean isEmpty(Node node) {
    return switch (node) {
      case ScalarNode scalar -> Tag.NULL.equals(scalar.getTag());
      case MappingNode mapping -> mapping.getValue().isEmpty();
      default -> false;
    };
  }

  /// Without the tag, which may be the beginning of a secret.
  private SettingsException tagged(String key, Node where) {
    return bad(
        key,
        "a ! before a value makes a tag of it, and none has a meaning here: put a value that"
            + " begins with ! in quotes",
        where);
  }

  private SettingsException empty(String key, Node where) {
    return bad(key, "it is empty: leave it out, or give it a value", where);
  }

  private SettingsException unknown(String key, Node where) {
    List<String> known = keys.stream().map(each -> ROOT + "." + each).toList();
    String more =
        key.startsWith(ROOT + ".")
            ? Suggestion.of(key, known)
            : Suggestion.nearest(key, known)
                .orElse("; settings stand below %s:, such as %s.port".formatted(ROOT, ROOT));
    return bad(key, "no such setting", where, more);
  }

  private SettingsException bad(String key, String why, Node where) {
    return bad(key, why, where, "");
  }

  private SettingsException bad(String key, String why, Node where, String more) {
    return new SettingsException(
        "%s: %s (in %s, line %s)%s".formatted(key, why, place, line(where), more));
  }

  private static int line(Node node) {
    return node.getStartMark().getLine() + 1;
  }
}
