package dev.replistream;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.Socket;
import java.net.SocketException;
import java.net.SocketTimeoutException;
import java.nio.charset.StandardCharsets;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/// One TCP connection to a service, over which a test speaks HTTP/1.1 byte by byte. Every read has
/// a deadline. Confined to one thread, except for {@link #close} and {@link #reset}.
public final class HttpConnection implements AutoCloseable {
  /// Longer than any answer takes, however busy the machine is.
  public static final Duration PATIENCE = Duration.ofSeconds(20);

  private final Socket socket;
  private final InputStream in;

  /// Connects to a port of this machine.
  public HttpConnection(int port) {
    this(port, 0);
  }

  /// Connects with a receive buffer of about so many bytes, 0 for the system's default.
  public HttpConnection(int port, int receiveBufferBytes) {
    this(InetAddress.getLoopbackAddress(), port, receiveBufferBytes);
  }

  /// Connects as another machine would: from `address`, one of this machine's that begin with 127.
  public static HttpConnection from(String address, int port) {
    return new HttpConnection(InetAddress.ofLiteral(address), port, 0);
  }

  private HttpConnection(InetAddress from, int port, int receiveBufferBytes) {
    try {
      socket = new Socket();
      socket.bind(new InetSocketAddress(from, 0));
      if (receiveBufferBytes > 0) {
        socket.setReceiveBufferSize(receiveBufferBytes);
      }
      socket.setTcpNoDelay(true);
      socket.connect(
          new InetSocketAddress(InetAddress.getLoopbackAddress(), port), (int) PATIENCE.toMillis());
      in = socket.getInputStream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Sends text as it is; its characters are bytes (ISO 8859-1).
  public HttpConnection send(String text) {
    return send(text.getBytes(StandardCharsets.ISO_8859_1));
  }

  /// Sends bytes.
  public HttpConnection send(byte[] bytes) {
    try {
      socket.getOutputStream().write(bytes);
      return this;
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Reads what there is.
  ///
  /// @return how many bytes, 0 when none came in time, or -1 at the end of the connection, however
  ///   that came
  public int read(byte[] buffer, Duration timeout) {
    try {
      socket.setSoTimeout((int) Math.max(1, timeout.toMillis()));
      return in.read(buffer);
    } catch (SocketTimeoutException _) {
      return 0;
    } catch (SocketException _) {
      return -1; // reset by the other side, or closed by this one
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Reads a response's head up to and with its empty line.
  ///
  /// @return the head, or what had come when the connection ended
  public String head() {
    StringBuilder head = new StringBuilder();
    byte[] one = new byte[1];
    while (!head.toString().endsWith("\r\n\r\n") && read(one, PATIENCE) == 1) {
      head.append((char) (one[0] & 0xff));
    }
    return head.toString();
  }

  /// Reads one response.
  ///
  /// @throws AssertionError when the connection ends before there is one
  public HttpReply reply() {
    return reply(true);
  }

  /// Reads one response to `HEAD`, which has no body.
  public HttpReply replyWithoutBody() {
    return reply(false);
  }

  private HttpReply reply(boolean withBody) {
    String head = head();
    if (!head.endsWith("\r\n\r\n")) {
      throw new AssertionError("the connection ended within the head: " + head);
    }
    List<String> lines = head.strip().lines().toList();
    List<Map.Entry<String, String>> headers = new ArrayList<>();
    for (String line : lines.subList(1, lines.size())) {
      int colon = line.indexOf(':');
      headers.add(
          Map.entry(
              line.substring(0, colon).toLowerCase(Locale.ROOT),
              line.substring(colon + 1).strip()));
    }
    HttpReply reply = new HttpReply(lines.getFirst(), headers, "");
    if (!withBody || reply.status() == 204 || reply.status() == 304) {
      return reply;
    }
    byte[] body;
    if (reply.headers("Transfer-Encoding").contains("chunked")) {
      body = chunks();
    } else {
      String length = reply.header("Content-Length");
      body = length == null ? rest() : exactly(Integer.parseInt(length));
    }
    return new HttpReply(lines.getFirst(), headers, new String(body, StandardCharsets.UTF_8));
  }

  private byte[] exactly(int length) {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (bytes.size() < length) {
      byte[] buffer = new byte[length - bytes.size()];
      int count = read(buffer, PATIENCE);
      if (count <= 0) {
        throw new AssertionError("no more of the body came: " + bytes);
      }
      bytes.write(buffer, 0, count);
    }
    return bytes.toByteArray();
  }

  private byte[] chunks() {
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    while (true) {
      StringBuilder size = new StringBuilder();
      while (size.indexOf("\r\n") < 0) {
        size.append((char) exactly(1)[0]);
      }
      int length = Integer.parseInt(size.toString().strip(), 16);
      bytes.writeBytes(exactly(length));
      exactly(2);
      if (length == 0) {
        return bytes.toByteArray();
      }
    }
  }

  /// Reads to the end of the connection.
  ///
  /// @throws AssertionError when it does not end in time
  public byte[] rest() {
    return rest(PATIENCE);
  }

  /// Reads to the end of the connection, which has to come within `timeout`.
  public byte[] rest(Duration timeout) {
    long deadline = System.nanoTime() + timeout.toNanos();
    ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    byte[] buffer = new byte[4096];
    while (true) {
      int count = read(buffer, Duration.ofNanos(deadline - System.nanoTime()));
      if (count < 0) {
        return bytes.toByteArray();
      }
      if (count == 0) {
        throw new AssertionError("the connection did not end within " + timeout + ": " + bytes);
      }
      bytes.write(buffer, 0, count);
    }
  }

  /// Sends a FIN and reads on.
  public void halfClose() {
    try {
      socket.shutdownOutput();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Closes with a FIN.
  @Override
  public void close() {
    try {
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  /// Closes with a RST.
  public void reset() {
    try {
      socket.setSoLinger(true, 0);
      socket.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
