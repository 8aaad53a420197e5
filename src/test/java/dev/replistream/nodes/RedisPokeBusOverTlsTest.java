package dev.replistream.nodes;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.Eventually;
import dev.replistream.TestCertificate;
import dev.replistream.poke.PokeBus;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.Base64;
import java.util.UUID;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/// A real Redis that speaks TLS, with a certificate of its own for 127.0.0.1.
class RedisPokeBusOverTlsTest {
  private static final String PASSWORD = "changeit";
  private static final String TRUST_STORE = "javax.net.ssl.trustStore";

  private static Path keyStore;
  private static TestRedis redis;
  private static int port;

  @BeforeAll
  static void start(@TempDir Path dir) throws Exception {
    keyStore = dir.resolve("keys.p12");
    TestCertificate.make(keyStore, PASSWORD, "redis", "redis");
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keyStore)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    Path certificate = dir.resolve("redis.crt");
    Path key = dir.resolve("redis.key");
    Files.writeString(certificate, pem("CERTIFICATE", keys.getCertificate("redis").getEncoded()));
    Files.writeString(
        key, pem("PRIVATE KEY", keys.getKey("redis", PASSWORD.toCharArray()).getEncoded()));
    port = TestRedis.freePort();
    redis =
        TestRedis.start(
            "--tls-port", Integer.toString(port),
            "--tls-cert-file", certificate.toString(),
            "--tls-key-file", key.toString(),
            "--tls-ca-cert-file", certificate.toString(),
            "--tls-auth-clients", "no");
  }

  private static String pem(String what, byte[] bytes) {
    return "-----BEGIN %s-----\n%s\n-----END %s-----\n"
        .formatted(what, Base64.getMimeEncoder().encodeToString(bytes), what);
  }

  @AfterAll
  static void stop() {
    redis.close();
  }

  private static RedisNode node(String scheme, String host) {
    return new RedisNode("%s://%s:%d".formatted(scheme, host, port), UUID.randomUUID().toString());
  }

  private static void trust() {
    System.setProperty(TRUST_STORE, keyStore.toString());
    System.setProperty(TRUST_STORE + "Password", PASSWORD);
  }

  @AfterEach
  void distrust() {
    System.clearProperty(TRUST_STORE);
    System.clearProperty(TRUST_STORE + "Password");
  }

  @Test
  void aCertificateThatTheJvmTrustsLetsTheNodeIn() {
    trust();

    try (RedisNode node = node("rediss", "127.0.0.1")) {
      assertThat(node.refusal()).isEmpty();
      node.start();
      Eventually.holds("it is up", node.bus()::isAvailable);
      node.streams().open("alice");

      assertThat(node.bus().poke("alice", PokeBus.Source.SELF)).isEqualTo(1);
    }
  }

  @Test
  void oneThatIsNotTrustedIsARefusal() {
    assertThat(node("rediss", "127.0.0.1").refusal())
        .get()
        .asString()
        .contains("unable to find valid certification path")
        .doesNotContain("\n");
  }

  @Test
  void oneOfAnotherNameIsARefusal() {
    trust();

    assertThat(node("rediss", "localhost").refusal())
        .get()
        .asString()
        .contains("No name matching localhost found");
  }
}
