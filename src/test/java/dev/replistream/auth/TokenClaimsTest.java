package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.TestService;
import dev.replistream.api.JsonValue;
import java.nio.charset.StandardCharsets;
import java.time.Instant;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.function.UnaryOperator;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.Test;

/// What a mutator is told of the token and the mutation that it runs for.
class TokenClaimsTest {
  private static final List<JsonValue> SEEN = new CopyOnWriteArrayList<>();

  private static final TestService SERVICE =
      TestService.start(() ->
          Map.of(
              "look",
              (transaction, _) ->
                  SEEN.add(
                      JsonValue.object()
                          .with("userId", transaction.userId())
                          .with("clientID", transaction.clientID())
                          .with("mutationID", JsonValue.of(transaction.mutationID()))
                          .with("claims", transaction.claims())
                          .build())));

  @AfterAll
  static void close() {
    SERVICE.close();
  }

  private final long now = Instant.now().getEpochSecond();

  private String claims(String userId) {
    return """
    {"roles":["admin",{"of":"\\uD800"}],"sub":"%s","exp":%d,"tenant":{"id":12345678901234567890},\
    "rate":1.50,"none":null,"iat":%d}\
    """
        .formatted(userId, now + 600, now);
  }

  private static String token(String claims) {
    String input =
        CompactJws.signingInput(
            "{\"alg\":\"HS256\"}".getBytes(StandardCharsets.UTF_8),
            claims.getBytes(StandardCharsets.UTF_8));
    return CompactJws.serialize(
        input,
        VerificationKey.jwkOfSecret(TestService.SECRET)
            .sign(input.getBytes(StandardCharsets.US_ASCII)));
  }

  private static void push(String group, UnaryOperator<HttpRequest> by) {
    HttpRequest request =
        HttpRequest.api("POST", "/push")
            .with("Origin", "http://localhost") // else a cookie counts for nothing
            .with(
                """
                {"profileID":"p","clientGroupID":"%1$s","pushVersion":1,"schemaVersion":"","mutations":[
                {"id":1,"clientID":"%1$s-a","name":"look","args":null,"timestamp":1},
                {"id":1,"clientID":"%1$s-b","name":"look","args":null,"timestamp":1},
                {"id":2,"clientID":"%1$s-a","name":"look","args":null,"timestamp":1}]}\
                """
                    .formatted(group));
    HttpReply reply = SERVICE.client().send(by.apply(request));
    assertThat(reply.status()).isEqualTo(200);
  }

  private static JsonValue look(String userId, String clientID, int mutationID, String claims) {
    return JsonValue.object()
        .with("userId", userId)
        .with("clientID", clientID)
        .with("mutationID", JsonValue.of(mutationID))
        .with("claims", JsonValue.parse(claims))
        .build();
  }

  private void assertSeen(String userId, String group) {
    String claims = claims(userId);
    assertThat(SEEN)
        .containsExactly(
            look(userId, group + "-a", 1, claims),
            look(userId, group + "-b", 1, claims),
            look(userId, group + "-a", 2, claims));
    assertThat(SEEN.getFirst().get("claims").toJson()).isEqualTo(claims);
    SEEN.clear();
  }

  @Test
  void aMutatorSeesWhoMadeTheMutationAndAllClaimsOfTheTokenAsItHasThem() {
    push("g1", request -> request.by(token(claims("alice"))));
    assertSeen("alice", "g1");
    push("g2", request -> request.by(token(claims("bob"))));
    assertSeen("bob", "g2");
  }

  @Test
  void theClaimsAreThoseOfTheCredentialThatCounts() {
    String cookie = "replistream_token=" + token(claims("carol"));
    push("g3", request -> request.with("Cookie", cookie));
    assertSeen("carol", "g3");
    push("g4", request -> request.with("Cookie", cookie).with("Authorization", "Basic YTpi"));
    assertSeen("carol", "g4");
    push("g5", request -> request.with("Cookie", cookie).by(token(claims("dave"))));
    assertSeen("dave", "g5");
  }
}
