package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;

import java.net.URI;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class UrlHostTest {
  @ParameterizedTest
  @CsvSource({
    "http://example.com/x, example.com",
    "http://127.0.0.1:8000, 127.0.0.1",
    "http://[::1]:8000/, [::1]",
    "http://auth_server:8080/jwks.json, auth_server",
    "https://my_app.auth-server_1/, my_app.auth-server_1",
    "http://_sync, _sync",
  })
  void isTheNameBetweenSchemeAndPort(String url, String host) {
    assertThat(UrlHost.of(URI.create(url))).contains(host);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "http:/x",
        "mailto:a@b",
        "http://user@auth_server/",
        "http://auth_server:80x/",
        "http://auth_server:8000000/",
        "http://-auth_server/",
        "http://a$b/"
      })
  void isNotThereWhereNoneStands(String url) {
    assertThat(UrlHost.of(URI.create(url))).isEmpty();
  }
}
