package dev.replistream.rules.http;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.replistream.api.RejectionCode;
import dev.replistream.rules.Answer;
import dev.replistream.rules.Op;
import dev.replistream.rules.OpReader;
import dev.replistream.rules.OpReader.BadOpException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/// Reads what an application answers: `{"results":[…]}`, each of which is `{"ops":[…],"if":[…],
/// "unrestricted":false}`, `{"error":{"code","message"}}` or `{"retry":true}`. Stateless.
final class AnswerReader {
  private static final String KINDS = "ops, and if and unrestricted beside them; error; or retry";

  /// How long a value may be is said when it is written, and is then the mutation's failure.
  private static final OpReader OPS = new OpReader(Integer.MAX_VALUE, false);

  private AnswerReader() {}

  /// Reads an answer whose first token is the parser's current one.
  ///
  /// @param most how many results it may have
  /// @throws BadOpException when it has another form
  static List<Answer> read(JsonParser parser, int most) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new BadOpException("it is no object");
    }
    @Nullable List<Answer> answers = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      boolean isResults = parser.currentName().equals("results") && answers == null;
      parser.nextToken();
      if (!isResults) {
        throw new BadOpException("it has a member that is not results");
      }
      answers = results(parser, most);
    }
    if (answers == null || answers.isEmpty()) {
      throw new BadOpException("it has no results");
    }
    return answers;
  }

  private static List<Answer> results(JsonParser parser, int most) throws IOException {
    if (parser.currentToken() != JsonToken.START_ARRAY) {
      throw new BadOpException("results must be an array");
    }
    List<Answer> answers = new ArrayList<>();
    while (parser.nextToken() != JsonToken.END_ARRAY) {
      if (answers.size() == most) {
        throw new BadOpException("there are more results than mutations");
      }
      answers.add(result(parser, "results[" + answers.size() + "]"));
    }
    return answers;
  }

  private static Answer result(JsonParser parser, String path) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new BadOpException(path + " must be an object");
    }
    @Nullable List<Op> ops = null;
    @Nullable List<Op.Condition> conditions = null;
    @Nullable Answer other = null;
    boolean isUnrestricted = false;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals("ops") && ops == null) {
        ops = OPS.ops(parser, path + ".ops");
      } else if (name.equals("if") && conditions == null) {
        conditions = OPS.conditions(parser, path + ".if");
      } else if (name.equals("unrestricted")) {
        isUnrestricted = flag(parser, path + ".unrestricted");
      } else if (name.equals("error") && other == null) {
        other = error(parser, path + ".error");
      } else if (name.equals("retry") && other == null) {
        if (!flag(parser, path + ".retry")) {
          throw new BadOpException(path + ".retry must be true");
        }
        other = new Answer.Later();
      } else {
        throw new BadOpException(
            "%s has a member twice, or one that is none of %s".formatted(path, KINDS));
      }
    }
    boolean isOther = other != null && ops == null && conditions == null && !isUnrestricted;
    if (!isOther && (other != null || ops == null)) {
      throw new BadOpException("%s needs one of %s".formatted(path, KINDS));
    }
    return isOther && other != null
        ? other
        : new Answer.Apply(
            ops == null ? List.of() : ops,
            conditions == null ? List.of() : conditions,
            isUnrestricted);
  }

  private static boolean flag(JsonParser parser, String path) {
    if (!parser.currentToken().isBoolean()) {
      throw new BadOpException(path + " must be true or false");
    }
    return parser.currentToken() == JsonToken.VALUE_TRUE;
  }

  private static Answer error(JsonParser parser, String path) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT) {
      throw new BadOpException(path + " must be an object");
    }
    String code = "";
    @Nullable String message = null;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      if (parser.nextToken() != JsonToken.VALUE_STRING) {
        throw new BadOpException(path + " has code and message, two strings");
      }
      switch (name) {
        case "code" -> code = parser.getText();
        case "message" -> message = parser.getText();
        default -> throw new BadOpException(path + " has code and message, two strings");
      }
    }
    if (code.isBlank()) {
      throw new BadOpException(path + ".code must be a string that is not empty");
    }
    RejectionCode known =
        code.equals(RejectionCode.UNKNOWN_MUTATOR.code())
            ? RejectionCode.UNKNOWN_MUTATOR
            : RejectionCode.REJECTED;
    return new Answer.Reject(code, message == null ? known.message() : message);
  }
}
