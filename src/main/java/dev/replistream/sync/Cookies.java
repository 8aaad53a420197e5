package dev.replistream.sync;

import dev.replistream.api.JsonObjectBuilder;
import dev.replistream.api.JsonValue;
import dev.replistream.api.JsonValueException;
import java.nio.charset.StandardCharsets;
import java.security.GeneralSecurityException;
import java.security.MessageDigest;
import java.util.Base64;
import java.util.Map;
import java.util.TreeMap;
import javax.crypto.Mac;
import javax.crypto.spec.SecretKeySpec;

/// Signs cookies and reads those that come back. A cookie carries what the client holds, so that
/// the server keeps no record of it; its `mac` (HMAC-SHA256, RFC 2104, in base64url) binds it to
/// the user, so that nobody can make the server send less, or learn the keys of a space by claiming
/// to have lost it. Thread-safe: immutable.
final class Cookies {
  private static final String ALGORITHM = "HmacSHA256";

  /// As long as what the algorithm makes, and so as strong as it.
  private static final int MIN_KEY_BYTES = 32;

  private final SecretKeySpec key;

  /// @param key at least 32 random bytes, the same for all nodes and starts of one database
  Cookies(byte[] key) {
    if (key.length < MIN_KEY_BYTES) {
      throw new IllegalArgumentException("the key of the cookies is too short");
    }
    this.key = new SecretKeySpec(key, ALGORITHM);
  }

  /// The cookie as it goes out to `userId`.
  JsonValue sign(String userId, Cookie cookie) {
    JsonValue.Obj content = content(cookie);
    return content.with("mac", JsonValue.of(mac(userId, content)));
  }

  /// What `cookie` is worth when `userId` sends it. Anything may be sent: what was not signed for
  /// this user is unknown, and nothing is refused.
  HeldCookie read(String userId, JsonValue cookie) {
    CookieOrder order = CookieOrder.of(cookie);
    try {
      Map<String, Long> spaces = new TreeMap<>();
      cookie.get("spaces").asMembers().forEach((id, version) -> spaces.put(id, version.asLong()));
      Cookie claimed =
          new Cookie(
              order,
              cookie.get("epoch").asText(),
              cookie.get("group").asText(),
              cookie.get("acked").asLong(),
              spaces);
      byte[] mac = cookie.get("mac").asText().getBytes(StandardCharsets.UTF_8);
      // a number that was only rounded to the order that was signed comes after it for the client
      boolean known =
          order.toJson().equals(cookie.get("order"))
              && MessageDigest.isEqual(
                  mac, mac(userId, content(claimed)).getBytes(StandardCharsets.UTF_8));
      return known ? claimed : new UnknownCookie(order);
    } catch (JsonValueException _) {
      return new UnknownCookie(order);
    }
  }

  private static JsonValue.Obj content(Cookie cookie) {
    JsonObjectBuilder spaces = JsonValue.object();
    cookie.spaces().forEach(spaces::with);
    return JsonValue.object()
        .with("order", cookie.order().toJson())
        .with("epoch", cookie.epoch())
        .with("group", cookie.group())
        .with("acked", cookie.acked())
        .with("spaces", spaces.build())
        .build();
  }

  /// What is signed is JSON in one fixed form, so no two cookies or users look the same.
  private String mac(String userId, JsonValue.Obj content) {
    try {
      Mac mac = Mac.getInstance(ALGORITHM);
      mac.init(key);
      byte[] signed = mac.doFinal(JsonValue.array(JsonValue.of(userId), content).toBytes());
      return Base64.getUrlEncoder().withoutPadding().encodeToString(signed);
    } catch (GeneralSecurityException e) {
      throw new IllegalStateException("every JVM has " + ALGORITHM, e);
    }
  }
}
