package dev.replistream.http.wire;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// Which requests stand in the bytes of one connection, by RFC 9112 at its strictest where readers
/// differ. Slow and simple, so that it is right. Confined to one thread.
final class ReferenceReader {
  private static final Pattern LINE =
      Pattern.compile("[!#$%&'*+.^_`|~0-9A-Za-z-]+ [!-~]+ HTTP/1\\.1");
  private static final Pattern FIELD =
      Pattern.compile("([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \\t]*([\\t -~\\x80-\\xff]*?)[ \\t]*");
  private static final Pattern SIZE =
      Pattern.compile("([0-9a-fA-F]+)([\\t ]*;[\\t -~\\x80-\\xff]*)?");
  private static final Pattern LENGTH = Pattern.compile("\\d{1,18}");
  private static final Pattern STATUS = Pattern.compile("HTTP/1\\.1 (\\d{3}) ");

  private final String bytes;
  private int at;

  /// @param head up to and with the empty line; all that is left, where it is malformed
  record Request(String head, boolean isWellFormed) {}

  record Answer(int status, String body) {}

  ReferenceReader(byte[] bytes) {
    this.bytes = new String(bytes, StandardCharsets.ISO_8859_1);
  }

  /// All that may be answered, in their order. Behind one that is malformed or incomplete, in its
  /// head or its body, and behind `Connection: close`, there is none.
  List<Request> requests() {
    List<Request> requests = new ArrayList<>();
    boolean goesOn = true;
    while (goesOn) {
      at += bytes.startsWith("\r\n", at) ? 2 : 0;
      int end = bytes.indexOf("\r\n\r\n", at);
      if (at == bytes.length()) {
        return requests;
      }
      List<String> lines =
          end < 0 ? List.of("") : Arrays.asList(bytes.substring(at, end).split("\r\n", -1));
      List<String> fields = lines.subList(1, lines.size());
      boolean isWellFormed =
          LINE.matcher(lines.getFirst()).matches()
              && fields.stream().allMatch(field -> FIELD.matcher(field).matches());
      requests.add(
          new Request(
              isWellFormed ? bytes.substring(at, end + 4) : bytes.substring(at), isWellFormed));
      at = end + 4;
      goesOn = isWellFormed && !isLast(fields) && skipBody(fields);
    }
    return requests;
  }

  private static List<String> values(List<String> fields, String name) {
    return fields.stream()
        .map(FIELD::matcher)
        .filter(field -> field.matches() && field.group(1).equalsIgnoreCase(name))
        .map(field -> field.group(2))
        .toList();
  }

  private static boolean isLast(List<String> fields) {
    return values(fields, "Connection").stream()
        .flatMap(Pattern.compile("[ \\t]*,[ \\t]*")::splitAsStream)
        .anyMatch(option -> option.equalsIgnoreCase("close"));
  }

  private boolean skipBody(List<String> fields) {
    List<String> lengths = values(fields, "Content-Length");
    List<String> codings = values(fields, "Transfer-Encoding");
    if (lengths.isEmpty() && codings.isEmpty()) {
      return true;
    }
    if (codings.isEmpty()) {
      return lengths.size() == 1
          && LENGTH.matcher(lengths.getFirst()).matches()
          && skip(Long.parseLong(lengths.getFirst()));
    }
    return lengths.isEmpty()
        && codings.size() == 1
        && codings.getFirst().equalsIgnoreCase("chunked")
        && skipChunks();
  }

  private boolean skip(long count) {
    boolean isThere = count <= bytes.length() - at;
    at += isThere ? (int) count : 0;
    return isThere;
  }

  private boolean skipChunks() {
    while (true) {
      Matcher size = SIZE.matcher(line());
      if (!size.matches() || size.group(1).replaceFirst("^0+", "").length() > 8) {
        return false;
      }
      long count = Long.parseLong(size.group(1), 16);
      if (count == 0) {
        return skipTrailers();
      }
      if (!skip(count) || !bytes.startsWith("\r\n", at)) {
        return false;
      }
      at += 2;
    }
  }

  private boolean skipTrailers() {
    String line = line();
    while (FIELD.matcher(line).matches()) {
      line = line();
    }
    return line.isEmpty();
  }

  /// The next line; one that is no good, where none ends.
  private String line() {
    int end = bytes.indexOf("\r\n", at);
    String line = end < 0 ? "\0" : bytes.substring(at, end);
    at = end < 0 ? bytes.length() : end + 2;
    return line;
  }

  /// The final responses among what a server sent.
  ///
  /// @param requests which are answered so: `HEAD` without a body
  /// @throws AssertionError when there is anything else
  static List<Answer> answers(byte[] received, List<Request> requests) {
    String text = new String(received, StandardCharsets.ISO_8859_1);
    List<Answer> answers = new ArrayList<>();
    int at = 0;
    while (at < text.length()) {
      Matcher line = STATUS.matcher(text).region(at, text.length());
      int end = text.indexOf("\r\n\r\n", at);
      if (!line.lookingAt() || end < 0) {
        throw new AssertionError("no response at " + at + " of " + text);
      }
      int status = Integer.parseInt(line.group(1));
      List<String> fields = List.of(text.substring(at, end).split("\r\n", -1));
      at = end + 4;
      if (status < 200 && status != 101) {
        continue;
      }
      List<String> lengths = values(fields, "Content-Length");
      boolean isHead =
          answers.size() < requests.size()
              && requests.get(answers.size()).head().startsWith("HEAD ");
      boolean hasNoBody = status == 204 || status == 304 || isHead;
      int length = lengths.isEmpty() ? text.length() - at : Integer.parseInt(lengths.getFirst());
      int bodyEnd = hasNoBody ? at : Math.min(text.length(), at + length);
      if (isHead && isLast(fields)) {
        bodyEnd = text.length(); // of a server that has not come to its method
      }
      answers.add(new Answer(status, text.substring(at, bodyEnd)));
      at = bodyEnd;
    }
    return answers;
  }
}
