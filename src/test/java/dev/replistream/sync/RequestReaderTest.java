package dev.replistream.sync;

import static java.util.stream.Collectors.joining;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.api.JsonValue;
import dev.replistream.http.BodyPrefix;
import dev.replistream.http.ProblemException;
import dev.replistream.json.Json;
import java.io.ByteArrayInputStream;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class RequestReaderTest {
  private static final VersionNotSupported PUSH_VERSION =
      new VersionNotSupported(VersionNotSupported.Type.PUSH);

  private static final int MAX_ARGS = 100_000;

  private static PushBody push(String body) {
    return push(body, Integer.MAX_VALUE);
  }

  private static PushBody push(String body, int limitBytes) {
    return BodyPrefix.read(
        new ByteArrayInputStream(body.getBytes(StandardCharsets.UTF_8)),
        limitBytes,
        MAX_ARGS,
        (parser, prefix) -> RequestReader.push(parser, prefix, MAX_ARGS));
  }

  private static PullBody pull(String body) {
    return Json.read(body, RequestReader::pull);
  }

  @Test
  void aMutationWhoseArgumentsAreTooLongIsFaultyAndNoOther() {
    String array = "[" + "0,".repeat(MAX_ARGS / 2) + "0]";
    String string = '"' + "v".repeat(MAX_ARGS - 1) + '"';
    String escapes = '"' + "\\u00e9".repeat(MAX_ARGS - 1) + '"';
    String longest = '"' + "v".repeat(MAX_ARGS - 2) + '"';

    assertThat(Stream.of(array, string, escapes, longest).map(RequestReaderTest::faultOf))
        .containsExactly(
            "its arguments are too long",
            "its arguments are too long",
            "its arguments are too long",
            "none");
  }

  private static String faultOf(String args) {
    String mutation = "{\"id\":1,\"clientID\":\"c\",\"name\":\"n\",\"args\":" + args + "}";
    return ((PushRequest) push(pushOf(mutation)))
        .mutations()
        .getFirst()
        .fault()
        .map(Mutation.Fault::message)
        .orElse("none");
  }

  @Test
  void ofACookieIsKeptWhatThisServerGivesOut() {
    String zeros = "[" + "0,".repeat(1000) + "0]";
    String spaces =
        IntStream.range(0, 2_002).mapToObj(i -> "\"r/" + i + "\":1").collect(joining(","));

    assertThat(
            Stream.of(
                    zeros,
                    "{\"order\":7,\"x\":" + zeros + ",\"epoch\":" + zeros + "}",
                    "{\"order\":7,\"spaces\":{\"u/alice\":" + zeros + "}}",
                    "{\"order\":7,\"epoch\":\"e\",\"spaces\":{" + spaces + "}}")
                .map(RequestReaderTest::cookieKeptOf))
        .containsExactly(
            "null",
            "{\"order\":7,\"epoch\":null}",
            "{\"order\":7,\"spaces\":{\"u/alice\":null}}",
            "{\"order\":7}");
  }

  private static String cookieKeptOf(String cookie) {
    String body =
        "{\"profileID\":\"p\",\"clientGroupID\":\"g\",\"pullVersion\":1,\"cookie\":" + cookie + "}";
    return ((PullRequest) pull(body)).cookie().toJson();
  }

  private static String pushOf(String mutation) {
    return "{\"profileID\":\"p\",\"clientGroupID\":\"g\",\"mutations\":[%s],\"pushVersion\":1,\"schemaVersion\":\"\"}"
        .formatted(mutation);
  }

  private static void isRefused(Runnable read, int status, String detail) {
    assertThatThrownBy(read::run)
        .isInstanceOfSatisfying(
            ProblemException.class, e -> assertThat(e.problem().status().code()).isEqualTo(status))
        .hasMessage(detail);
  }

  @Test
  void aPushAsTheClientSendsIt() {
    PushBody body =
        push(
            """
            {"profileID":"pqc3scc4pvjq1g7fiha","clientGroupID":"j1g8ngdpt95ptbdv9b","mutations":[
            {"id":4,"name":"noargs","args":null,"timestamp":690.686654,"clientID":"5af58m2mq2gij7qghe"},
            {"id":1,"name":"put","args":{"n":1.0},"timestamp":1602.6000000000931,"clientID":"c2"}],
            "pushVersion":1,"schemaVersion":"7"}
            """);

    assertThat(body)
        .isEqualTo(
            new PushRequest(
                "pqc3scc4pvjq1g7fiha",
                "j1g8ngdpt95ptbdv9b",
                "7",
                List.of(
                    new Mutation(4, "5af58m2mq2gij7qghe", "noargs", "null"),
                    new Mutation(1, "c2", "put", "{\"n\":1.0}")),
                false));
  }

  @Test
  void aPullAsTheClientSendsIt() {
    PullBody body =
        pull(
            """
            {"profileID":"pqc3scc4pvjq1g7fiha","clientGroupID":"j1g8ngdpt95ptbdv9b","cookie":null,\
            "pullVersion":1,"schemaVersion":""}\
            """);

    assertThat(body)
        .isEqualTo(
            new PullRequest("pqc3scc4pvjq1g7fiha", "j1g8ngdpt95ptbdv9b", "", JsonValue.ofNull()));
  }

  @Test
  void keysMayComeInAnyOrderAndUnknownOnesAreSkipped() {
    assertThat(
            push(
                """
                {"more":{"mutations":[1,{"a":[]}]},"pushVersion":1,"mutations":[{"clientID":"c","x":[{}],"args":[],
                "name":"n","id":9007199254740991,"timestamp":"never"}],"clientGroupID":"g","profileID":"p"}\
                """))
        .isEqualTo(
            new PushRequest(
                "p", "g", "", List.of(new Mutation(9007199254740991L, "c", "n", "[]")), false));
    assertThat(
            pull(
                """
                {"pullVersion":1,"schemaVersion":"s","cookie":{"order":1},"mutations":7,"clientGroupID":"g","profileID":"p"}\
                """))
        .isEqualTo(new PullRequest("p", "g", "s", JsonValue.parse("{\"order\":1}")));
  }

  @Test
  void theLastOfAKeyThatComesTwiceCounts() {
    assertThat(
            push(
                """
                {"pushVersion":0,"pushVersion":1,"mutations":[{"id":1,"clientID":"c","name":"n"}],"mutations":[],
                "clientGroupID":"g","profileID":"p"}\
                """))
        .isEqualTo(new PushRequest("p", "g", "", List.of(), false));
  }

  @Test
  void mutationsComeInTheirOrder() {
    String mutations =
        IntStream.rangeClosed(1, 1000)
            .mapToObj("{\"id\":%d,\"name\":\"n\",\"args\":null,\"clientID\":\"c\"}"::formatted)
            .collect(Collectors.joining(","));

    PushRequest request = (PushRequest) push(pushOf(mutations));

    assertThat(request.mutations())
        .extracting(Mutation::id)
        .containsExactlyElementsOf(IntStream.rangeClosed(1, 1000).mapToObj(Long::valueOf).toList());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"pushVersion\":0,\"schemaVersion\":\"\",\"profileID\":\"p\",\"clientID\":\"c\",\"mutations\":[]}",
        "{\"profileID\":\"p\",\"clientID\":\"c\",\"mutations\":[{\"id\":1,\"name\":\"n\",\"args\":{},\"timestamp\":1}],\"pushVersion\":0}",
        "{\"pushVersion\":2}",
        "{\"mutations\":{\"a\":1},\"clientGroupID\":[],\"pushVersion\":2}",
        "{\"pushVersion\":1.5}",
        "{\"pushVersion\":-1e400}",
      })
  void aPushOfAnotherVersionIsAnsweredAsSuchHoweverItLooks(String body) {
    assertThat(push(body)).isEqualTo(PUSH_VERSION);
  }

  @Test
  void aPullOfAnotherVersionIsAnsweredAsSuch() {
    assertThat(
            pull(
                """
                {"profileID":"p","clientID":"c","cookie":7,"lastMutationID":3,"pullVersion":0,"schemaVersion":""}\
                """))
        .isEqualTo(new VersionNotSupported(VersionNotSupported.Type.PULL));
  }

  @ParameterizedTest
  @CsvSource({"{}", "'{\"pushVersion\":null}'", "'{\"pushVersion\":\"1\",\"mutations\":[]}'"})
  void aBodyWithoutAVersionIsRefused(String body) {
    assertThatThrownBy(() -> push(body)).isInstanceOf(ProblemException.class);
  }

  @ParameterizedTest
  @ValueSource(strings = {"[]", "null", "1", "\"push\""})
  void whatIsNoObjectIsRefused(String body) {
    isRefused(() -> push(body), 400, "The body must be an object.");
    isRefused(() -> pull(body), 400, "The body must be an object.");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "{\"pullVersion\":1,\"clientGroupID\":\"g\"}|profileID",
        "{\"pullVersion\":1,\"profileID\":\"p\"}|clientGroupID",
        "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":\"\"}|clientGroupID",
        "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":7}|clientGroupID",
        "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":[\"g\"]}|clientGroupID",
        "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":\"a\\u0000\"}|clientGroupID",
        "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":\"\\ud800\"}|clientGroupID",
        "{\"pullVersion\":1,\"profileID\":null,\"clientGroupID\":\"g\"}|profileID",
        "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":\"g\",\"schemaVersion\":7}|schemaVersion",
        "{\"profileID\":\"p\",\"clientGroupID\":\"g\"}|pullVersion",
      })
  void aRefusalNamesWhatIsWrong(String body, String name) {
    assertThatThrownBy(() -> pull(body))
        .isInstanceOf(ProblemException.class)
        .hasMessageStartingWith(name + " must ");
  }

  @Test
  void idsMayHave128CharactersAndNoMore() {
    String body = "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":\"%s\"}";

    assertThat(pull(body.formatted("g".repeat(128)))).isInstanceOf(PullRequest.class);
    assertThatThrownBy(() -> pull(body.formatted("g".repeat(129))))
        .isInstanceOf(ProblemException.class);
  }

  @Test
  void aSchemaVersionMayHave128CharactersAndNoMore() {
    String body =
        "{\"pullVersion\":1,\"profileID\":\"p\",\"clientGroupID\":\"g\",\"schemaVersion\":\"%s\"}";

    assertThat(pull(body.formatted("s".repeat(128)))).isInstanceOf(PullRequest.class);
    isRefused(
        () -> pull(body.formatted("s".repeat(129))),
        400,
        "schemaVersion must have at most 128 characters.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "0",
        "-1",
        "1.0",
        "1e0",
        "1.5",
        "9007199254740992",
        "99999999999999999999",
        "\"1\"",
        "null",
        "[1]",
        "{}",
      })
  void aMutationWithoutAProperIdIsRefused(String id) {
    isRefused(
        () -> push(pushOf("{\"id\":%s,\"name\":\"n\",\"clientID\":\"c\"}".formatted(id))),
        400,
        "mutations[0].id must be a whole number from 1 to 9007199254740991.");
  }

  @Test
  void aRefusalSaysWhichMutationIsWrong() {
    String good = "{\"id\":1,\"name\":\"n\",\"clientID\":\"c\"}";

    isRefused(
        () -> push(pushOf(good + ",{\"id\":2,\"clientID\":\"c\"},7")),
        400,
        "mutations[1].name must be a string.");
    isRefused(
        () -> push(pushOf(good + ",{\"id\":2,\"name\":\"n\"}")),
        400,
        "mutations[1].clientID must be a string of 1 to 128 characters without control characters.");
    isRefused(() -> push(pushOf(good + "," + good + ",7")), 400, "mutations[2] must be an object.");
    isRefused(
        () -> push(pushOf("{\"id\":1,\"name\":{\"a\":[1]},\"clientID\":\"c\"}")),
        400,
        "mutations[0].name must be a string.");
  }

  private static List<Mutation> mutations(PushBody body) {
    return ((PushRequest) body).mutations();
  }

  @Test
  void aMutationWithANameOfMoreThan128CharactersIsFaultyAndNoOther() {
    String mutation = "{\"id\":1,\"name\":\"%s\",\"args\":null,\"clientID\":\"c\"}";
    String good = mutation.formatted("n".repeat(128));

    assertThat(
            mutations(push(pushOf(good + "," + mutation.formatted("n".repeat(129)) + "," + good))))
        .containsExactly(
            new Mutation(1, "c", "n".repeat(128), "null"),
            Mutation.faulty(1, "c", "n".repeat(128), Mutation.Fault.NAME_TOO_LONG),
            new Mutation(1, "c", "n".repeat(128), "null"));
  }

  @Test
  void aNameMayBeEmptyAsTheClientAllowsThat() {
    assertThat(mutations(push(pushOf("{\"id\":1,\"name\":\"\",\"clientID\":\"c\"}"))))
        .containsExactly(new Mutation(1, "c", "", "null"));
  }

  @Test
  void aMutationWhoseArgumentsNestTooDeepIsFaultyAndNoOther() {
    String mutation = "{\"id\":1,\"name\":\"n\",\"args\":%s,\"clientID\":\"c\"}";
    String deep = "{\"a\":[".repeat(256) + "7" + "]}".repeat(256);

    assertThat(
            mutations(
                push(
                    pushOf(
                        mutation.formatted("[" + deep + ",1]")
                            + ","
                            + mutation.formatted("[".repeat(90_000) + "]".repeat(90_000))
                            + ","
                            + mutation.formatted(deep)))))
        .containsExactly(
            Mutation.faulty(1, "c", "n", Mutation.Fault.ARGUMENTS_TOO_DEEP),
            Mutation.faulty(1, "c", "n", Mutation.Fault.ARGUMENTS_TOO_DEEP),
            new Mutation(1, "c", "n", deep));
  }

  @ParameterizedTest
  @ValueSource(strings = {"pushVersion", "cookie", "more", "profileID", "clientGroupID"})
  void whatNestsDeepElsewhereOverflowsNothing(String name) {
    String body =
        "{\"mutations\":[],\"%s\":%s}".formatted(name, "[".repeat(99_000) + "]".repeat(99_000));

    assertThatThrownBy(() -> push(body)).isInstanceOf(ProblemException.class);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"", ",\"mutations\":null", ",\"mutations\":{}", ",\"mutations\":{\"a\":[1]}"})
  void aPushNeedsAnArrayOfMutations(String mutations) {
    isRefused(
        () ->
            push(
                "{\"pushVersion\":1,\"profileID\":\"p\",\"clientGroupID\":\"g\"%s}"
                    .formatted(mutations)),
        400,
        "mutations must be an array.");
  }

  @Test
  void noMoreThan100000MutationsOfAPushAreRead() {
    String mutation = "{\"id\":1,\"name\":\"n\",\"clientID\":\"c\"},";
    String last = mutation.substring(0, mutation.length() - 1);

    PushRequest full = (PushRequest) push(pushOf(mutation.repeat(99_999) + last));

    assertThat(full.mutations()).hasSize(100_000);
    assertThat(full.isCut()).isFalse();
    assertThat(push(pushOf(mutation.repeat(100_001) + last)))
        .isEqualTo(new PushRequest("p", "g", "", full.mutations(), true));
  }

  /// Each mutation is of 100 characters.
  private static String hundred(int id) {
    String mutation =
        "{\"id\":%d,\"name\":\"n\",\"args\":\"é\",\"timestamp\":1.5,\"clientID\":\"c\"}"
            .formatted(id);
    return mutation.replace("1.5", "1." + "5".repeat(101 - mutation.length()));
  }

  @Test
  void ofAPushThatIsTooLargeTheMutationsBeforeTheLimitAreRead() {
    String body =
        pushOf(
            IntStream.rangeClosed(1, 9)
                .mapToObj(RequestReaderTest::hundred)
                .collect(Collectors.joining(",")));
    int start = body.indexOf("[") + 1;

    for (int count = 1; count < 9; count++) {
      // each é takes a byte more than the character it is
      int endOfLast = start + count * 102 - 1;
      for (int more : List.of(0, 1, 101)) {
        PushRequest prefix = (PushRequest) push(body, endOfLast + more);

        assertThat(prefix.mutations())
            .extracting(Mutation::id)
            .hasSize(count)
            .endsWith((long) count);
        assertThat(prefix.isCut()).isTrue();
        assertThat(prefix.clientGroupID()).isEqualTo("g");
      }
    }
    assertThat(((PushRequest) push(body, body.length() + 9)).isCut()).isFalse();
  }

  @Test
  void aPushWhoseFirstMutationIsNotWholeWithinTheMostThatIsReadIsRefused() {
    String first =
        "{\"id\":1,\"name\":\"n\",\"args\":\"%s\",\"clientID\":\"c\"}".formatted("v".repeat(9_000));

    isRefused(
        () -> push(pushOf(first), 1_000), 413, "The body is larger than the limit of 1000 bytes.");
    isRefused(
        () -> push("{\"mutations\":[" + hundred(1) + "," + hundred(2) + "]", 200),
        413,
        "The body is larger than the limit of 200 bytes.");
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "\"vvvvvvvvvvvvvv\"",
        "[0,0,0,0,0,0,0]",
        "{\"a\":[\"\\u00e9\\n\\\\\",{}]}",
        "[[[[[[]]]]]]",
        "\"\\\"\\\"\\\"\\\"\\\"\\\"\""
      })
  void aMutationLargerThanTheLimitIsFaultyWhateverMakesItLarge(String part) {
    String args = "[" + (part + ",").repeat(600) + part.replace("v", "v".repeat(300)) + "]";
    String large =
        "{\"id\":7,\"name\":\"n\",\"args\":%s,\"timestamp\":1.5,\"clientID\":\"c\"}"
            .formatted(args);

    for (int limit = 4_000; limit < 4_020; limit++) {
      PushRequest request = (PushRequest) push(pushOf(large + "," + hundred(8)), limit);

      assertThat(request.mutations())
          .containsExactly(Mutation.faulty(7, "c", "n", Mutation.Fault.TOO_LARGE));
      assertThat(request.isCut()).isTrue();
    }
  }

  @Test
  void aLargeMutationBehindAnotherIsLeftForTheNextPush() {
    String large =
        "{\"id\":8,\"name\":\"n\",\"args\":\"%s\",\"clientID\":\"c\"}".formatted("v".repeat(900));

    PushRequest request = (PushRequest) push(pushOf(hundred(7) + "," + large), 500);

    assertThat(request.mutations()).extracting(Mutation::id).containsExactly(7L);
    assertThat(request.isCut()).isTrue();
  }

  @Test
  void aPushThatIsTooLargeAndOfAnotherVersionIsAnsweredAsSuch() {
    String mutations = hundred(1) + "," + hundred(2) + "," + hundred(3);

    assertThat(
            push(
                "{\"pushVersion\":2,\"clientGroupID\":\"g\",\"profileID\":\"p\",\"mutations\":["
                    + mutations,
                250))
        .isEqualTo(PUSH_VERSION);
  }

  @Test
  void argumentsMayNest500Deep() {
    String args = "[".repeat(500) + "]".repeat(500);

    PushRequest request =
        (PushRequest)
            push(
                pushOf("{\"id\":1,\"name\":\"n\",\"clientID\":\"c\",\"args\":%s}".formatted(args)));

    assertThat(request.mutations().getFirst().args().toJson()).isEqualTo(args);
  }

  @Test
  void argumentsAreKeptAsTheyCame() {
    String args =
        "{ \"a\" : [1.0, 1e400, -0, true, false, null, {}], \"b\" : \"\\ud800é\\u0000\" }";

    PushRequest request =
        (PushRequest)
            push(
                pushOf("{\"id\":1,\"name\":\"n\",\"clientID\":\"c\",\"args\":%s}".formatted(args)));

    assertThat(request.mutations().getFirst().args()).isEqualTo(JsonValue.parse(args));
  }

  @Test
  void theAnswerToAnotherVersionNamesIt() {
    assertThat(PUSH_VERSION.toJson())
        .asString()
        .isEqualTo("{\"error\":\"VersionNotSupported\",\"versionType\":\"push\"}");
    assertThat(new VersionNotSupported(VersionNotSupported.Type.SCHEMA).toJson())
        .asString()
        .isEqualTo("{\"error\":\"VersionNotSupported\",\"versionType\":\"schema\"}");
    assertThat(ClientStateNotFound.toJson())
        .asString()
        .isEqualTo("{\"error\":\"ClientStateNotFound\"}");
  }
}
