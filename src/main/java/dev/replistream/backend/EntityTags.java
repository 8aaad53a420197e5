package dev.replistream.backend;

import dev.replistream.http.Problem;
import dev.replistream.http.ProblemException;
import io.helidon.http.HeaderName;
import io.helidon.http.HeaderNames;
import io.helidon.http.Status;
import io.helidon.webserver.http.ServerRequest;
import java.util.HashSet;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/// The versions of entries as entity tags, and what a request demands of them (RFC 9110, sections
/// 8.8.3 and 13.1). Immutable.
///
/// @param match one of which the entry has to have; empty where any will do
/// @param noneMatch none of which it may have; empty where any will do
record EntityTags(Optional<Tags> match, Optional<Tags> noneMatch) {
  private static final Pattern TAG =
      Pattern.compile("\\s*(W/)?\"([\\x21\\x23-\\x7e\\x80-\\xff]*)\"\\s*(?:,|$)");

  /// Some tags, or any.
  ///
  /// @param isAny whether it is `*`
  /// @param strong those that compare strongly
  /// @param all with those that are weak
  record Tags(boolean isAny, Set<String> strong, Set<String> all) {}

  /// What a request demands.
  ///
  /// @throws ProblemException 400 where it is no list of entity tags
  static EntityTags of(ServerRequest request) {
    return new EntityTags(
        tags(request, HeaderNames.IF_MATCH), tags(request, HeaderNames.IF_NONE_MATCH));
  }

  private static Optional<Tags> tags(ServerRequest request, HeaderName name) {
    if (!request.headers().contains(name)) {
      return Optional.empty();
    }
    String text = String.join(",", request.headers().get(name).allValues()).strip();
    if (text.equals("*")) {
      return Optional.of(new Tags(true, Set.of(), Set.of()));
    }
    Set<String> strong = new HashSet<>();
    Set<String> all = new HashSet<>();
    Matcher matcher = TAG.matcher(text);
    int end = 0;
    while (end < text.length() && matcher.find(end) && matcher.start() == end) {
      all.add(matcher.group(2));
      if (matcher.group(1) == null) {
        strong.add(matcher.group(2));
      }
      end = matcher.end();
    }
    if (all.isEmpty() || end < text.length()) {
      throw Access.bad(
          name.defaultCase() + " is * or a list of entity tags, each in quotes, such as \"17\".");
    }
    return Optional.of(new Tags(false, strong, all));
  }

  /// The tag of a version.
  static String of(long version) {
    return "\"" + version + "\"";
  }

  /// Whether a reader has this version already.
  boolean isKnown(long version) {
    return noneMatch
        .filter(tags -> tags.isAny || tags.all.contains(Long.toString(version)))
        .isPresent();
  }

  /// Sees to it that an entry is as a writer expects it.
  ///
  /// @param version that the entry has; empty where there is none
  /// @throws ProblemException 412 where it is not
  void require(Optional<Long> version) {
    requireMatch(version);
    if (version.isPresent() && isKnown(version.get())) {
      throw other(version);
    }
  }

  /// Sees to it that an entry is as `If-Match` has it.
  ///
  /// @throws ProblemException 412 where it is not
  void requireMatch(Optional<Long> version) {
    boolean matches =
        match.isEmpty()
            || version
                .filter(known -> match.get().isAny || match.get().strong.contains("" + known))
                .isPresent();
    if (!matches) {
      throw other(version);
    }
  }

  private static ProblemException other(Optional<Long> version) {
    return Problem.of(
            Status.PRECONDITION_FAILED_412,
            version
                .map(known -> "The entry has version %s: read it again.".formatted(known))
                .orElse("There is no such entry."))
        .toException();
  }
}
