package dev.replistream.cli;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.net.ConnectException;
import java.net.URI;
import java.net.http.HttpConnectTimeoutException;
import java.nio.channels.UnresolvedAddressException;
import org.junit.jupiter.api.Test;

/// Failures that no test can bring about on one machine.
final class UnreachableExceptionTest {
  private static final URI SERVICE = URI.create("http://a.example:8000");

  @Test
  void anUnknownNameIsSaidToBeSo() {
    ConnectException cause = new ConnectException();
    cause.initCause(new UnresolvedAddressException());

    assertThat(UnreachableException.of(SERVICE, cause))
        .hasMessage("there is no host named a.example");
  }

  @Test
  void aHostThatDropsPacketsIsSaidToBeSo() {
    UnreachableException e =
        UnreachableException.of(SERVICE, new HttpConnectTimeoutException("slow"));

    assertThat(e).hasMessage("a.example:8000 does not answer");
    assertThat(e.advice()).contains("firewall");
  }

  @Test
  void anyOtherFailureKeepsItsReason() {
    assertThat(UnreachableException.of(SERVICE, new IOException("reset")))
        .hasMessage("the connection to a.example:8000 broke: reset");
  }
}
