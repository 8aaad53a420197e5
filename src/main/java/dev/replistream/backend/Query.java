package dev.replistream.backend;

import dev.replistream.http.ProblemException;
import io.helidon.common.uri.UriQuery;
import io.helidon.webserver.http.ServerRequest;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/// The parameters of a request's query. Each refusal is a 400 that names the parameter. Immutable.
final class Query {
  /// The largest number that is taken.
  static final long MOST = 999_999_999_999_999_999L;

  private static final int MAX_DIGITS = 18;

  private final UriQuery query;

  private Query(UriQuery query) {
    this.query = query;
  }

  /// Reads a query.
  ///
  /// @param names of its parameters; another one is refused, as a misspelt one would do nothing
  /// @throws ProblemException 400 for another query
  static Query of(ServerRequest request, String... names) {
    List<String> known = List.of(names);
    UriQuery query = request.query();
    if (!query.isEmpty()) {
      for (String name : query.names()) {
        if (!known.contains(name)) {
          throw Access.bad(
              "The query has a parameter that is none of %s.".formatted(String.join(", ", known)));
        }
        if (query.all(name).size() > 1) {
          throw Access.bad("The query has %s more than once.".formatted(name));
        }
      }
    }
    return new Query(query);
  }

  /// A text that may be left out.
  Optional<String> text(String name) {
    return query.isEmpty() || !query.contains(name)
        ? Optional.empty()
        : Optional.of(query.first(name).orElse(""));
  }

  /// A whole number that may be left out.
  OptionalLong number(String name, long min, long max) {
    Optional<String> text = text(name);
    if (text.isEmpty()) {
      return OptionalLong.empty();
    }
    if (text.get().matches("[0-9]{1," + MAX_DIGITS + "}")) {
      long number = Long.parseLong(text.get());
      if (number >= min && number <= max) {
        return OptionalLong.of(number);
      }
    }
    throw Access.bad("%s is a whole number from %s to %s.".formatted(name, min, max));
  }
}
