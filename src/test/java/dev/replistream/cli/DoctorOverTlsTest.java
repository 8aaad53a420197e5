package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import dev.replistream.TestCertificate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.security.KeyStore;
import java.util.List;
import javax.net.ServerSocketFactory;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/// The doctor before a proxy that ends TLS with a certificate of its own.
@Timeout(60)
final class DoctorOverTlsTest {
  private static final String PASSWORD = "changeit";

  private static LiveService service;
  private static Path keyStore;
  private static SpoilingProxy proxy;

  @BeforeAll
  static void start(@TempDir Path dir) throws Exception {
    service = new LiveService(dir);
    keyStore = dir.resolve("keys.p12");
    TestCertificate.make(keyStore, PASSWORD, "proxy", "127.0.0.1");
    proxy = SpoilingProxy.of(tls(), service);
  }

  @AfterAll
  static void stop() throws IOException {
    proxy.close();
    service.close();
  }

  private static ServerSocketFactory tls() throws Exception {
    KeyStore keys = KeyStore.getInstance("PKCS12");
    try (InputStream in = Files.newInputStream(keyStore)) {
      keys.load(in, PASSWORD.toCharArray());
    }
    KeyManagerFactory managers =
        KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    managers.init(keys, PASSWORD.toCharArray());
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(managers.getKeyManagers(), null, null);
    return context.getServerSocketFactory();
  }

  @Test
  void aTrustedCertificateIsWellAndHttp11IsNoted() throws Exception {
    try (CommandProcess doctor =
        CommandProcess.start(
            service.environment(),
            List.of(
                "-Djavax.net.ssl.trustStore=" + keyStore,
                "-Djavax.net.ssl.trustStorePassword=" + PASSWORD),
            "doctor",
            "https://127.0.0.1:" + proxy.port(),
            "--user",
            "demo")) {
      assertThat(doctor.exitCode()).as(doctor.out().toString()).isZero();
      assertThat(doctor.out().toString())
          .containsPattern("warn +protocol +HTTP/1.1")
          .containsPattern("ok +poke")
          .containsPattern("ok +close")
          .containsPattern("ok +ticket")
          .contains("0 failed, 1 to look at.");
    }
  }

  @Test
  void aCertificateThatNobodyTrustsIsSaidToBeSo() throws Exception {
    CommandRun doctor =
        service.start("doctor", "https://127.0.0.1:" + proxy.port(), "--user", "demo");

    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString())
        .containsPattern("FAIL +connection +TLS with 127.0.0.1:\\d+ failed: .*\n +-> .*trustStore");
  }

  @Test
  void plainHttpToATlsPortIsSaidToBeSo() throws Exception {
    CommandRun doctor =
        service.start("doctor", "http://127.0.0.1:" + proxy.port(), "--user", "demo");

    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString()).containsPattern("FAIL +connection +.*\n +-> ");
  }

  @Test
  void tlsToAPlainPortIsSaidToBeSo() throws Exception {
    CommandRun doctor =
        service.start("doctor", "https://127.0.0.1:" + service.port(), "--user", "demo");

    assertThat(doctor.exitCode()).isEqualTo(1);
    assertThat(doctor.out().toString())
        .containsPattern("FAIL +connection +TLS .*\n +-> If it speaks plain HTTP, write http://");
  }
}
