package dev.replistream;

import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.net.ConnectException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.NetworkInterface;
import java.net.Socket;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// Where the listeners are, and where they are not.
class ListenAddressTest {
  private static void connect(String address, int port) throws IOException {
    try (Socket socket = new Socket()) {
      socket.connect(new InetSocketAddress(InetAddress.ofLiteral(address), port), 2_000);
    }
  }

  @ParameterizedTest
  @CsvSource({"[::1], ::1", "::1, ::1", "0:0:0:0:0:0:0:1, ::1", "[::], ::1", "::, 127.0.0.1"})
  void anIpv6AddressIsListenedOn(String host, String client) throws IOException {
    assumeTrue(
        NetworkInterface.getByInetAddress(InetAddress.ofLiteral("::1")) != null, "no IPv6 here");
    try (TestService service = TestService.start("HOST", host, "ADMIN_HOST", host)) {
      connect(client, service.application().port());
      connect(client, service.application().adminPort());
    }
  }

  @Test
  void theOperatorsListenerIsOnThisMachineAloneUnlessItIsTold() throws IOException {
    String other = "127.0.0.2"; // another address of this machine, as that of a network would be
    try (TestService service = TestService.start("HOST", "0.0.0.0")) {
      connect(other, service.application().port());
      assertThatThrownBy(() -> connect(other, service.application().adminPort()))
          .isInstanceOf(ConnectException.class);
    }
    try (TestService service = TestService.start("ADMIN_HOST", "0.0.0.0")) {
      connect(other, service.application().adminPort());
    }
  }

  @Test
  void anAddressOfAnotherMachineStopsTheStartWithTheNameOfItsKey() {
    assertThatThrownBy(() -> TestService.start("ADMIN_HOST", "192.0.2.1"))
        .isInstanceOf(SettingsException.class)
        .hasMessageStartingWith("replistream.admin-host: can't listen on 192.0.2.1:0");
  }
}
