package dev.replistream.auth;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.HttpConnection;
import dev.replistream.HttpReply;
import dev.replistream.HttpRequest;
import dev.replistream.LogCapture;
import dev.replistream.Problems;
import dev.replistream.SettableClock;
import dev.replistream.TestService;
import java.io.IOException;
import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Base64;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/// Every odd token that anybody may send, for a key of each kind, to a real service: refused with
/// 401, beside the good ones of the same key, and without a trace in the log.
class TokenCorpusTest {
  private static final SettableClock CLOCK = new SettableClock();
  private static final Base64.Encoder BASE64_URL = Base64.getUrlEncoder().withoutPadding();
  private static final SigningKey STRANGER = SigningKey.rsa("rs", "RS256");

  private static final List<SigningKey> KEYS =
      List.of(
          SigningKey.oct(
              "hs",
              "HS256",
              "a secret of the set: 32 bytes or more".getBytes(StandardCharsets.US_ASCII)),
          SigningKey.rsa("rs", "RS256"),
          SigningKey.rsa("ps", "PS256"),
          SigningKey.ec("es256", "ES256", "P-256"),
          SigningKey.ec("es384", "ES384", "P-384"),
          SigningKey.ec("es512", "ES512", "P-521"),
          SigningKey.ed25519("ed"));

  @TempDir private static Path dir;
  private static TestService service;

  @BeforeAll
  static void start() throws IOException {
    Path set =
        Files.writeString(
            dir.resolve("jwks.json"), SigningKey.jwkSet(KEYS.toArray(SigningKey[]::new)));
    service =
        TestService.start(
            CLOCK,
            "AUTH_JWKS",
            set.toString(),
            "AUTH_ISSUER",
            "https://issuer.example",
            "AUTH_AUDIENCE",
            "replistream",
            "LIMITS_REFUSED_TOKENS_PER_SECOND",
            "0");
  }

  @AfterAll
  static void close() {
    service.close();
  }

  static List<SigningKey> keys() {
    return KEYS;
  }

  private static Claims claims() {
    return Claims.ofAlice(CLOCK);
  }

  @ParameterizedTest
  @MethodSource("keys")
  void oddTokensAreRefusedAndGoodOnesPass(SigningKey key) {
    try (LogCapture log = new LogCapture();
        HttpConnection connection = service.client().connect()) {
      Map<String, String> all = odd(key);
      assertThat(all).hasSizeGreaterThan(100);
      for (Map.Entry<String, String> odd : all.entrySet()) {
        HttpReply reply = connection.send(request(odd.getValue()).toBytes()).reply();

        assertThat(reply.status()).as(odd.getKey()).isEqualTo(401);
        assertThat(Problems.detail(reply, 401)).as(odd.getKey()).isNotBlank();
        assertThat(reply.header("WWW-Authenticate")).startsWith("Bearer error=\"invalid_token\"");
      }
      for (Map.Entry<String, String> good : good(key).entrySet()) {
        HttpReply reply = connection.send(request(good.getValue()).toBytes()).reply();

        assertThat(reply.status()).as(good.getKey()).isEqualTo(200);
        assertThat(reply.json().getString("userId")).isEqualTo("alice");
      }
      assertThat(log.warnings()).isEmpty();
      assertThat(log.lines()).allMatch(line -> line.length() < 100 && !line.contains("eyJ"));
    }
  }

  private static HttpRequest request(String token) {
    return HttpRequest.api("GET", "/stats").by(token);
  }

  private static Map<String, String> good(SigningKey key) {
    Map<String, String> good = new LinkedHashMap<>();
    good.put("plain", key.token(claims()));
    good.put("a typ", key.token(key.header().with("typ", "\"at+jwt\""), claims().json()));
    good.put(
        "an audience among others", key.token(claims().with("aud", "[\"a\",\"replistream\"]")));
    good.put("claims nobody asks for", key.token(claims().with("address", "{\"a\":[1,null]}")));
    good.put("spaces in the JSON", key.token(key.header().json(), " " + claims().json() + "\n"));
    return good;
  }

  /// By what is odd about them.
  private static Map<String, String> odd(SigningKey key) {
    Map<String, String> odd = new LinkedHashMap<>();
    signatures(key, odd);
    headers(key, odd);
    payloads(key, odd);
    forms(key, odd);
    return odd;
  }

  private static void signatures(SigningKey key, Map<String, String> odd) {
    String good = key.token(claims());
    String input = good.substring(0, good.lastIndexOf('.') + 1);
    byte[] signature = Base64.getUrlDecoder().decode(good.substring(input.length()));
    odd.put("no signature", input);
    odd.put("a signature of one byte", input + "AA");
    odd.put("zeros", input + encoded(new byte[signature.length]));
    byte[] ones = new byte[signature.length];
    Arrays.fill(ones, (byte) 0xff);
    odd.put("ones", input + encoded(ones));
    odd.put("half", input + encoded(Arrays.copyOf(signature, signature.length / 2)));
    odd.put("a byte less", input + encoded(Arrays.copyOf(signature, signature.length - 1)));
    odd.put("a byte more", input + encoded(Arrays.copyOf(signature, signature.length + 1)));
    odd.put("twice", input + encoded(Arrays.copyOf(signature, 2 * signature.length)));
    for (int at : new int[] {0, signature.length / 2, signature.length - 1}) {
      byte[] flipped = signature.clone();
      flipped[at] ^= 1;
      odd.put("a bit of byte " + at, input + encoded(flipped));
    }
    byte[] reversed = new byte[signature.length];
    for (int i = 0; i < signature.length; i++) {
      reversed[i] = signature[signature.length - 1 - i];
    }
    odd.put("backwards", input + encoded(reversed));
    if (key.algorithm().startsWith("ES")) {
      odd.put("DER instead of two numbers", input + encoded(der(signature)));
      byte[] zeroR = signature.clone();
      Arrays.fill(zeroR, 0, signature.length / 2, (byte) 0);
      odd.put("r is zero", input + encoded(zeroR));
      byte[] zeroS = signature.clone();
      Arrays.fill(zeroS, signature.length / 2, signature.length, (byte) 0);
      odd.put("s is zero", input + encoded(zeroS));
    }
    if (key.algorithm().equals("EdDSA")) {
      odd.put("s beyond the order of the group", input + encoded(beyondOrder(signature)));
    }
    String other = key.token(claims().with("sub", "\"bob\""));
    odd.put("another token's", input + other.substring(other.lastIndexOf('.') + 1));
    odd.put("another key's", STRANGER.token(key.header(), claims().json()));
    odd.put(
        "another payload",
        good.substring(0, good.indexOf('.') + 1)
            + SigningKey.base64Url(claims().with("sub", "\"root\"").json())
            + good.substring(input.length() - 1));
  }

  private static void headers(SigningKey key, Map<String, String> odd) {
    Claims header = key.header();
    for (String algorithm :
        List.of(
            "none",
            "None",
            "NONE",
            "nOnE",
            "",
            " ",
            key.algorithm().toLowerCase(Locale.ROOT),
            key.algorithm() + " ",
            "HS1",
            "HS512",
            "RS512",
            "PS512",
            "ES256K",
            "Ed448",
            "RSA-OAEP")) {
      Claims with = header.with("alg", '"' + algorithm + '"');
      odd.put("alg '" + algorithm + "'", key.token(with, claims().json()));
      odd.put(
          "alg '" + algorithm + "', unsigned",
          SigningKey.base64Url(with.json()) + '.' + SigningKey.base64Url(claims().json()) + '.');
    }
    for (SigningKey other : KEYS) {
      if (!other.algorithm().equals(key.algorithm())) {
        odd.put(
            "the kid of " + other.id(),
            key.token(header.with("kid", '"' + other.id() + '"'), claims().json()));
        odd.put(
            "alg of " + other.id(),
            key.token(header.with("alg", '"' + other.algorithm() + '"'), claims().json()));
      }
    }
    for (String json :
        List.of("\"unknown\"", "\"\"", "7", "null", "[\"" + key.id() + "\"]", "{}")) {
      odd.put("kid " + json, key.token(header.with("kid", json), claims().json()));
    }
    for (String json : List.of("7", "null", "[\"" + key.algorithm() + "\"]", "{}", "true")) {
      odd.put("alg " + json, key.token(header.with("alg", json), claims().json()));
    }
    odd.put("no alg", key.token(header.without("alg"), claims().json()));
    odd.put("crit", key.token(header.with("crit", "[\"exp\"]"), claims().json()));
    odd.put("crit of nothing", key.token(header.with("crit", "[]"), claims().json()));
    odd.put("b64", key.token(header.with("b64", false).with("crit", "[\"b64\"]"), claims().json()));
    odd.put(
        "its own key", STRANGER.token(header.with("jwk", STRANGER.jwk().json()), claims().json()));
    odd.put(
        "the URL of its key",
        STRANGER.token(header.with("jku", "\"http://127.0.0.1:1/\""), claims().json()));
    String twice = "{\"alg\":\"none\"," + header.json().substring(1);
    odd.put("alg twice", key.token(twice, claims().json()));
    odd.put("a header that is an array", key.token("[]", claims().json()));
    odd.put("a header that is text", key.token("\"alg\"", claims().json()));
    odd.put("a header that is nothing", key.token("", claims().json()));
    odd.put("a header and more", key.token(header.json() + "{}", claims().json()));
  }

  private static void payloads(SigningKey key, Map<String, String> odd) {
    for (String name : List.of("exp", "sub", "iss", "aud")) {
      odd.put("no " + name, key.token(claims().without(name)));
      odd.put(name + " null", key.token(claims().with(name, "null")));
    }
    long now = CLOCK.epochSecond();
    for (Object exp :
        List.of(
            0,
            -1,
            now - 31,
            "\"" + (now + 60) + "\"",
            "[]",
            "1e300",
            "-1e300",
            (now + 60) * 1000,
            true)) {
      odd.put("exp " + exp, key.token(claims().with("exp", exp)));
    }
    for (Object later : List.of(now + 31, "\"soon\"", "1e300", "{}")) {
      odd.put("nbf " + later, key.token(claims().with("nbf", later)));
      odd.put("iat " + later, key.token(claims().with("iat", later)));
    }
    for (String sub :
        List.of(
            "\"\"",
            "\".\"",
            "\"..\"",
            "7",
            "[]",
            "\"a\\u0000b\"",
            "\"a\\nb\"",
            "\"\\ud800\"",
            '"' + "x".repeat(129) + '"')) {
      odd.put(
          "sub " + sub.substring(0, Math.min(sub.length(), 12)),
          key.token(claims().with("sub", sub)));
    }
    for (String aud :
        List.of(
            "\"other\"", "[]", "[[\"replistream\"]]", "{\"replistream\":1}", "\"Replistream\"")) {
      odd.put("aud " + aud, key.token(claims().with("aud", aud)));
    }
    odd.put("another iss", key.token(claims().with("iss", "\"https://issuer.example/\"")));
    odd.put("scope of a number", key.token(claims().with("scope", 7)));
    odd.put("scope of numbers", key.token(claims().with("scope", "[7]")));
    odd.put("sid of nothing", key.token(claims().with("sid", "\"\"")));
    odd.put("lives too long", key.token(claims().with("exp", now + 40L * 86_400)));
    String header = key.header().json();
    String json = claims().json();
    odd.put("sub twice", key.token(header, "{\"sub\":\"root\"," + json.substring(1)));
    odd.put("no JSON", key.token(header, "claims"));
    odd.put("nothing", key.token(header, ""));
    odd.put("an array", key.token(header, "[" + json + "]"));
    odd.put("cut off", key.token(header, json.substring(0, json.length() - 1)));
    odd.put("and more", key.token(header, json + json));
    odd.put(
        "nested deeply",
        key.token(header, "{\"a\":" + "[".repeat(1_500) + "]".repeat(1_500) + "}"));
    odd.put("a number of 4,000 digits", key.token(claims().with("exp", "1".repeat(4_000))));
    odd.put("a byte order mark", key.token(header, "\ufeff" + json));
  }

  private static void forms(SigningKey key, Map<String, String> odd) {
    String good = key.token(claims());
    String[] parts = good.split("\\.", -1);
    odd.put("one part", parts[0]);
    odd.put("two parts", parts[0] + '.' + parts[1]);
    odd.put("four parts", good + '.' + parts[2]);
    odd.put("five parts", good + "..");
    odd.put("a dot more", good + '.');
    odd.put("a dot first", '.' + good);
    odd.put("dots", "..");
    odd.put("padded", good + "=");
    odd.put("padded twice", good + "==");
    odd.put("a space within", parts[0] + ". " + parts[1] + '.' + parts[2]);
    odd.put("a comma behind", good + ',' + good);
    odd.put("a quote", '"' + good + '"');
    odd.put("a percent sign", parts[0] + "%2E" + parts[1] + "%2E" + parts[2]);
    odd.put("JSON serialization", "{\"payload\":\"" + parts[1] + "\"}");
    odd.put("the alphabet of plain base64", parts[0] + '.' + parts[1] + ".+/" + parts[2]);
    odd.put("longer than any", key.token(claims().with("a", '"' + "x".repeat(8_192) + '"')));
  }

  private static String encoded(byte[] bytes) {
    return BASE64_URL.encodeToString(bytes);
  }

  /// The two numbers as an X.690 SEQUENCE, which is what most libraries make of ECDSA.
  private static byte[] der(byte[] raw) {
    byte[] r = new BigInteger(1, Arrays.copyOf(raw, raw.length / 2)).toByteArray();
    byte[] s = new BigInteger(1, Arrays.copyOfRange(raw, raw.length / 2, raw.length)).toByteArray();
    byte[] der = new byte[r.length + s.length + 6];
    der[0] = 0x30;
    der[1] = (byte) (der.length - 2);
    der[2] = 2;
    der[3] = (byte) r.length;
    System.arraycopy(r, 0, der, 4, r.length);
    der[4 + r.length] = 2;
    der[5 + r.length] = (byte) s.length;
    System.arraycopy(s, 0, der, 6 + r.length, s.length);
    return der;
  }

  /// The same signature with the order of the group added to its number, which only lax verifiers
  /// take (RFC 8032, section 5.1.7).
  private static byte[] beyondOrder(byte[] signature) {
    BigInteger order =
        BigInteger.TWO.pow(252).add(new BigInteger("27742317777372353535851937790883648493"));
    byte[] number = new byte[32];
    for (int i = 0; i < 32; i++) {
      number[i] = signature[63 - i];
    }
    byte[] more = new BigInteger(1, number).add(order).toByteArray();
    byte[] changed = signature.clone();
    for (int i = 0; i < 32; i++) {
      changed[32 + i] = i < more.length ? more[more.length - 1 - i] : 0;
    }
    return changed;
  }
}
