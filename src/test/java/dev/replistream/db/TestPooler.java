package dev.replistream.db;

import java.io.BufferedInputStream;
import java.io.BufferedOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.URI;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.BlockingDeque;
import java.util.concurrent.LinkedBlockingDeque;
import org.jspecify.annotations.Nullable;

/// A pooler between clients and a PostgreSQL server, as PgBouncer is one: it holds a few sessions
/// of the server, and lets each client have one for as long as its mode says. It speaks the
/// protocol of PostgreSQL (chapter 55) as far as the driver uses it, to a server that wants no
/// password.
final class TestPooler implements AutoCloseable {
  /// How long a client has a session, and which it gets.
  enum Mode {
    /// Until it leaves.
    SESSION,
    /// Until its transaction ends; the one given back last.
    TRANSACTION,
    /// Until its transaction ends; each in its turn.
    TRANSACTION_IN_TURN
  }

  private static final int PROTOCOL = 196_608;
  private static final int SSL = 80_877_103;
  private static final int GSS = 80_877_104;

  private final Mode mode;
  private final URI database;
  private final ServerSocket listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
  private final BlockingDeque<Link> sessions = new LinkedBlockingDeque<>();
  private final List<Link> links = new ArrayList<>();

  private TestPooler(String jdbcUrl, Mode mode, int size) throws IOException {
    this.mode = mode;
    database = URI.create(jdbcUrl.substring("jdbc:".length()));
    for (int i = 0; i < size; i++) {
      sessions.add(session());
    }
    Thread.startVirtualThread(this::accept);
  }

  /// Starts one.
  ///
  /// @param jdbcUrl the database
  /// @param size how many sessions it holds
  static TestPooler start(String jdbcUrl, Mode mode, int size) throws IOException {
    return new TestPooler(jdbcUrl, mode, size);
  }

  /// The URL of the database through this.
  String url() {
    return "jdbc:postgresql://127.0.0.1:%s%s"
        .formatted(listener.getLocalPort(), database.getRawPath());
  }

  /// One message.
  @SuppressWarnings("ArrayRecordComponent") // compared by nobody
  private record Message(byte type, byte[] content) {}

  /// One side's connection. Confined to one thread at a time.
  private record Link(Socket socket, DataInputStream in, DataOutputStream out) {
    static Link of(Socket socket) throws IOException {
      socket.setTcpNoDelay(true);
      return new Link(
          socket,
          new DataInputStream(new BufferedInputStream(socket.getInputStream())),
          new DataOutputStream(new BufferedOutputStream(socket.getOutputStream())));
    }

    Message read() throws IOException {
      byte type = in.readByte();
      return new Message(type, in.readNBytes(in.readInt() - Integer.BYTES));
    }

    void write(Message message) throws IOException {
      out.writeByte(message.type());
      out.writeInt(message.content().length + Integer.BYTES);
      out.write(message.content());
    }
  }

  private synchronized Link link(Socket socket) throws IOException {
    Link link = Link.of(socket);
    links.add(link);
    return link;
  }

  private Link session() throws IOException {
    Link server = link(new Socket(database.getHost(), database.getPort()));
    byte[] who =
        "user\0postgres\0database\0%s\0\0"
            .formatted(database.getPath().substring(1))
            .getBytes(StandardCharsets.UTF_8);
    server.out().writeInt(who.length + 2 * Integer.BYTES);
    server.out().writeInt(PROTOCOL);
    server.out().write(who);
    server.out().flush();
    while (server.read().type() != 'Z') {
      // what it says of itself is asked of another session
    }
    return server;
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Link client = link(listener.accept());
        Thread.startVirtualThread(() -> serve(client));
      } catch (IOException _) {
        // closed
      }
    }
  }

  private void serve(Link client) {
    Link server = null;
    try (client.socket) {
      begin(client);
      for (Message asked = client.read(); asked.type() != 'X'; asked = client.read()) {
        server = server == null ? sessions.takeFirst() : server;
        server.write(asked);
        if ((asked.type() == 'Q' || asked.type() == 'S') && answer(server, client) == 'I') {
          server = mode == Mode.SESSION ? server : giveBack(server);
        }
      }
    } catch (IOException | InterruptedException _) {
      // the client or the server has gone
    }
    if (server != null) {
      giveBack(server);
    }
  }

  private static void begin(Link client) throws IOException {
    while (true) {
      byte[] rest = client.in().readNBytes(client.in().readInt() - Integer.BYTES);
      int code = ByteBuffer.wrap(rest).getInt();
      if (code == PROTOCOL) {
        break;
      }
      if (code != SSL && code != GSS) {
        throw new IOException("no beginning of a session");
      }
      client.out().writeByte('N');
      client.out().flush();
    }
    client.write(new Message((byte) 'R', new byte[4]));
    for (String status :
        List.of(
            "server_version\00015.0\0",
            "client_encoding\0UTF8\0",
            "standard_conforming_strings\0on\0",
            "integer_datetimes\0on\0",
            "DateStyle\0ISO, MDY\0",
            "TimeZone\0UTC\0")) {
      client.write(new Message((byte) 'S', status.getBytes(StandardCharsets.UTF_8)));
    }
    byte[] madeUp = new byte[8];
    new Random().nextBytes(madeUp);
    client.write(new Message((byte) 'K', madeUp));
    client.write(new Message((byte) 'Z', new byte[] {'I'}));
    client.out().flush();
  }

  /// Hands on what the server answers.
  ///
  /// @return in what state that leaves the transaction
  private static byte answer(Link server, Link client) throws IOException {
    server.out().flush();
    while (true) {
      Message said = server.read();
      client.write(said);
      if (said.type() == 'Z') {
        client.out().flush();
        return said.content()[0];
      }
    }
  }

  private @Nullable Link giveBack(Link server) {
    if (mode == Mode.TRANSACTION_IN_TURN) {
      sessions.addLast(server);
    } else {
      sessions.addFirst(server);
    }
    return null;
  }

  @Override
  public synchronized void close() throws IOException {
    listener.close();
    for (Link link : links) {
      link.socket().close();
    }
  }
}
