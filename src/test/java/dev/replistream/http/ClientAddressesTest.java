package dev.replistream.http;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.replistream.HttpConnection;
import dev.replistream.HttpRequest;
import io.helidon.http.HeaderNames;
import io.helidon.http.WritableHeaders;
import io.helidon.webserver.WebServer;
import java.net.InetAddress;
import java.time.Duration;
import java.util.List;
import java.util.random.RandomGenerator;
import java.util.random.RandomGeneratorFactory;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class ClientAddressesTest {
  private static final String PROXY = "10.0.0.1";
  private static final ClientAddresses ADDRESSES =
      new ClientAddresses(
          Stream.of("10.0.0.0/8", "127.0.0.1", "2001:db8:ffff::/48").map(Network::parse).toList());

  private static String of(String peer, String forwarded, String forwardedFor) {
    WritableHeaders<?> headers = WritableHeaders.create();
    if (!forwarded.isEmpty()) {
      headers.set(HeaderNames.FORWARDED, forwarded.split("\\|", -1));
    }
    if (!forwardedFor.isEmpty()) {
      headers.set(HeaderNames.X_FORWARDED_FOR, forwardedFor.split("\\|", -1));
    }
    return ADDRESSES.of(InetAddress.ofLiteral(peer), headers).getHostAddress();
  }

  @Test
  void whoeverIsNoTrustedProxyIsTheClientWhateverItSays() {
    assertThat(of("192.0.2.1", "for=198.51.100.7", "198.51.100.7")).isEqualTo("192.0.2.1");
    assertThat(of("2001:db8::1", "for=198.51.100.7", "")).isEqualTo("2001:db8:0:0:0:0:0:1");
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "198.51.100.7; 198.51.100.7",
        "6.6.6.6, 198.51.100.7; 198.51.100.7",
        "6.6.6.6, 198.51.100.7, 10.9.9.9; 198.51.100.7",
        "6.6.6.6 ,  198.51.100.7,10.9.9.9 ,2001:db8:ffff::2; 198.51.100.7",
        "6.6.6.6|198.51.100.7; 198.51.100.7",
        "6.6.6.6|198.51.100.7, 10.0.0.2|10.0.0.3; 198.51.100.7",
        "198.51.100.7:4711; 198.51.100.7",
        "2001:db8::17; 2001:db8:0:0:0:0:0:17",
        "[2001:db8::17]; 2001:db8:0:0:0:0:0:17",
        "[2001:db8::17]:4711; 2001:db8:0:0:0:0:0:17",
        "::ffff:198.51.100.7; 198.51.100.7",
        "10.0.0.2; 10.0.0.2",
        "10.0.0.2, 10.0.0.3; 10.0.0.2",
      })
  void ofXForwardedForTheLastThatIsNoProxyCounts(String header, String client) {
    assertThat(of(PROXY, "", header)).isEqualTo(client);
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '~',
      quoteCharacter = '`',
      value = {
        "for=198.51.100.7 ~ 198.51.100.7",
        "For=198.51.100.7;proto=http;by=10.0.0.1 ~ 198.51.100.7",
        "proto=http; FOR = 6.6.6.6 ; host=a ~ 10.0.0.1",
        "for=\"198.51.100.7:4711\" ~ 198.51.100.7",
        "for=\"[2001:db8::17]:4711\";host=\"a,b;for=6.6.6.6\" ~ 2001:db8:0:0:0:0:0:17",
        "for=\"[2001:db8::17]:_port\" ~ 2001:db8:0:0:0:0:0:17",
        "for=6.6.6.6, for=198.51.100.7, for=10.0.0.2 ~ 198.51.100.7",
        "for=6.6.6.6|for=198.51.100.7|for=10.0.0.2;by=10.0.0.1 ~ 198.51.100.7",
        "for=\", for=198.51.100.7 ~ 198.51.100.7",
        "for=\"6.6.6.6, for=198.51.100.7;host=\"x\\\"y\" ~ 198.51.100.7",
      })
  void ofForwardedTheLastThatIsNoProxyCounts(String header, String client) {
    assertThat(of(PROXY, header, "")).isEqualTo(client);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "unknown",
        "_hidden",
        "",
        " ",
        ",",
        "1",
        "1.2.3",
        "1.2.3.4.5",
        "256.1.1.1",
        "0x7f.1.1.1",
        "1.2.3.4, ",
        "localhost",
        "client.example",
        "fe80::1%eth0",
        "fe80::1%1",
        "[::1",
        "::1]",
        "[1.2.3.4]x",
        "[]",
        "[",
        ":",
        "::1::1",
        "1.2.3.4:80:80",
        "198.51.100.7 6.6.6.6",
      })
  void whatIsNoAddressIsTheProxysWord(String nonsense) {
    assertThat(of(PROXY, "", nonsense)).isEqualTo(PROXY);
    assertThat(of(PROXY, "for=" + nonsense, "")).isEqualTo(PROXY);
    assertThat(of(PROXY, "", "198.51.100.7, " + nonsense + ", 10.0.0.9")).isEqualTo("10.0.0.9");
  }

  /// Its client wrote one of them, and which one is not known.
  @Test
  void twoHeadersThatDisagreeDoNotCount() {
    assertThat(of(PROXY, "for=6.6.6.6", "198.51.100.7")).isEqualTo(PROXY);
    assertThat(of(PROXY, "for=198.51.100.7", "6.6.6.6, 198.51.100.7")).isEqualTo("198.51.100.7");
  }

  @Test
  void anIpv6AddressCountsAsItsNetwork() {
    assertThat(ClientAddresses.counted(InetAddress.ofLiteral("2001:db8:1:2:3:4:5:6")))
        .isEqualTo(InetAddress.ofLiteral("2001:db8:1:2::"))
        .isEqualTo(ClientAddresses.counted(InetAddress.ofLiteral("2001:db8:1:2:ffff::1")))
        .isNotEqualTo(ClientAddresses.counted(InetAddress.ofLiteral("2001:db8:1:3::1")));
    assertThat(ClientAddresses.counted(InetAddress.ofLiteral("192.0.2.1")))
        .isEqualTo(InetAddress.ofLiteral("192.0.2.1"));
  }

  /// With as many entries as a head can hold, and characters of which none belongs there.
  @Test
  void noHeaderMakesItThrowOrTakeLong() {
    RandomGenerator random = RandomGeneratorFactory.of("L64X128MixRandom").create(7);
    String alphabet = "0123456789abcdef.:,;=\"\\[]%for _\u00e9\t";
    long begin = System.nanoTime();
    for (int i = 0; i < 2_000; i++) {
      StringBuilder text = new StringBuilder();
      for (int j = random.nextInt(60); j >= 0; j--) {
        text.append(alphabet.charAt(random.nextInt(alphabet.length())));
      }
      of(PROXY, text.toString(), "");
      of(PROXY, "for=" + text, text.toString());
    }
    for (String entry :
        List.of("10.0.0.2,", ",", "\",", "for=10.0.0.2,", "for=\"\\\",", "[::1],")) {
      of(PROXY, entry.repeat(16_000 / entry.length()), "");
      of(PROXY, "", entry.repeat(16_000 / entry.length()));
    }

    assertThat(Duration.ofNanos(System.nanoTime() - begin)).isLessThan(Duration.ofSeconds(5));
  }

  /// As the server hands them on, which keeps the order of several headers of a name.
  @Test
  void aRequestIsItsClients() {
    WebServer server =
        WebServer.builder()
            .host("127.0.0.1")
            .routing(routing ->
                routing.get(
                    (request, response) -> response.send(ADDRESSES.of(request).getHostAddress())))
            .build()
            .start();
    try (HttpConnection connection = new HttpConnection(server.port())) {
      HttpRequest request =
          HttpRequest.of("GET", "/")
              .with("X-Forwarded-For", "6.6.6.6")
              .with("X-Forwarded-For", "198.51.100.7, 10.0.0.2");

      assertThat(connection.send(request.toBytes()).reply().body()).isEqualTo("198.51.100.7");
      assertThat(connection.send(HttpRequest.of("GET", "/").toBytes()).reply().body())
          .isEqualTo("127.0.0.1");
    } finally {
      server.stop();
    }
  }

  @ParameterizedTest
  @CsvSource({
    "10.0.0.0/8, 10.255.0.1, true",
    "10.0.0.0/8, 11.0.0.1, false",
    "10.1.2.3/8, 10.255.0.1, true",
    "192.0.2.128/25, 192.0.2.127, false",
    "192.0.2.128/25, 192.0.2.255, true",
    "192.0.2.1, 192.0.2.1, true",
    "192.0.2.1, 192.0.2.2, false",
    "0.0.0.0/0, 192.0.2.1, true",
    "0.0.0.0/0, ::1, false",
    "2001:db8::/32, 2001:db8:ffff::1, true",
    "2001:db8::/33, 2001:db8:ffff::1, false",
    "::/0, 2001:db8::1, true",
    "::1, ::1, true",
  })
  void aNetworkContainsWhatBeginsAsItDoes(String network, String address, boolean isIn) {
    assertThat(Network.parse(network).contains(InetAddress.ofLiteral(address))).isEqualTo(isIn);
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "",
        "/8",
        "10.0.0.0/",
        "10.0.0.0/33",
        "10.0.0.0/-1",
        "10.0.0.0/8/8",
        "10/8",
        "10.0.0.0/ 8",
        "::/129",
        "localhost",
        "proxy.example/32",
        "fe80::1%eth0",
        "*",
      })
  void whatIsNoNetworkIsRefused(String text) {
    assertThatThrownBy(() -> Network.parse(text)).isInstanceOf(IllegalArgumentException.class);
  }
}
