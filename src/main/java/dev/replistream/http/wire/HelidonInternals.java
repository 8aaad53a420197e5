package dev.replistream.http.wire;

import io.helidon.common.buffers.DataReader;
import io.helidon.common.buffers.DataWriter;
import io.helidon.common.concurrency.limits.FixedLimit;
import io.helidon.common.context.Context;
import io.helidon.common.socket.PeerInfo;
import io.helidon.common.task.InterruptableTask;
import io.helidon.http.encoding.ContentEncodingContext;
import io.helidon.http.media.MediaContext;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ListenerConfig;
import io.helidon.webserver.ListenerContext;
import io.helidon.webserver.Router;
import io.helidon.webserver.http.DirectHandlers;
import io.helidon.webserver.http1.Http1Config;
import io.helidon.webserver.http1.Http1ConnectionSelector;
import io.helidon.webserver.spi.ServerConnection;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.lang.reflect.Proxy;
import java.net.Socket;
import java.nio.channels.ServerSocketChannel;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/// What this package needs of Helidon and Helidon does not promise: some private fields, and by
/// which steps its parser of HTTP/1.1 reads a request. With another version of Helidon a field that
/// is missing would be noticed at the first stream, and a parser that reads otherwise not at all:
/// requests would be taken apart in the wrong places. So both are looked at when the service
/// starts. Stateless.
public final class HelidonInternals {
  private HelidonInternals() {}

  /// A private field.
  enum Field {
    /// The socket beneath one of Helidon's.
    SOCKET("io.helidon.common.socket.PlainSocket", "delegate", Socket.class),
    /// The listeners of a server, by their names.
    LISTENERS("io.helidon.webserver.LoomServer", "listeners", Map.class),
    /// What a listener accepts connections from.
    SERVER_SOCKET("io.helidon.webserver.ServerListener", "serverSocket", ServerSocketChannel.class);

    private final String owner;
    private final String field;
    private final Class<?> type;

    Field(String owner, String field, Class<?> type) {
      this.owner = owner;
      this.field = field;
      this.type = type;
    }

    /// The way to it.
    ///
    /// @throws UnsupportedHelidonException when there is no such field
    VarHandle handle() {
      try {
        Class<?> found = Class.forName(owner);
        return MethodHandles.privateLookupIn(found, MethodHandles.lookup())
            .findVarHandle(found, field, type);
      } catch (ReflectiveOperationException _) {
        throw new UnsupportedHelidonException(
            "has no field " + field + " of type " + type.getSimpleName() + " in " + owner);
      }
    }
  }

  /// Looks whether all is there and does as it should.
  ///
  /// @throws UnsupportedHelidonException when it does not
  public static void check() {
    for (Field field : Field.values()) {
      field.handle();
    }
    checkParser();
  }

  /// Lets the parser read a request that comes in pieces.
  private static void checkParser() {
    Steps steps = new Steps();
    ServerConnection parser =
        Http1ConnectionSelector.builder()
            .config(Http1Config.create())
            .build()
            .connection(context(new NotingReader(steps)));
    if (!(parser instanceof InterruptableTask<?> task)) {
      throw new UnsupportedHelidonException("has a parser of HTTP/1.1 without canInterrupt");
    }
    steps.parser = task;
    try {
      parser.handle(FixedLimit.create());
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } catch (RuntimeException _) {
      // the connection ends where there is no further piece
    }
    if (!steps.reads.containsAll(Steps.READS)) {
      throw new UnsupportedHelidonException("reads a request by other steps, " + steps.reads);
    }
    if (!steps.canInterrupt.equals(Steps.CAN_INTERRUPT)) {
      throw new UnsupportedHelidonException(
          "says by canInterrupt that a request begins elsewhere, " + steps.canInterrupt);
    }
  }

  /// A connection whose client sends what `reader` reads, and which takes any response.
  private static ConnectionContext context(DataReader reader) {
    ListenerContext listener =
        proxy(
            ListenerContext.class,
            Map.of(
                "config", ListenerConfig.create(),
                "context", Context.create(),
                "mediaContext", MediaContext.create(),
                "contentEncodingContext", ContentEncodingContext.create(),
                "directHandlers", DirectHandlers.create()));
    return proxy(
        ConnectionContext.class,
        Map.of(
            "dataReader",
            reader,
            "dataWriter",
            proxy(DataWriter.class, Map.of()),
            "listenerContext",
            listener,
            "router",
            Router.empty(),
            "proxyProtocolData",
            Optional.empty(),
            "remotePeer",
            proxy(PeerInfo.class, Map.of("tlsCertificates", Optional.empty())),
            "isSecure",
            false,
            "socketId",
            "",
            "childSocketId",
            ""));
  }

  /// @param parts what it has, by the names of its methods
  private static <T> T proxy(Class<T> type, Map<String, Object> parts) {
    return type.cast(
        Proxy.newProxyInstance(
            HelidonInternals.class.getClassLoader(),
            new Class<?>[] {type},
            (_, method, _) -> parts.get(method.getName())));
  }

  /// What the parser did.
  private static final class Steps {
    private static final List<String> PIECES =
        List.of(
            "P",
            "OST / HTTP/1.1\r\n",
            "Host: h\r\n",
            "Transfer-Encoding: chunked\r\n\r\n",
            "1\r\n",
            "a\r\n",
            "0\r\n\r\n");
    static final List<Boolean> CAN_INTERRUPT =
        List.of(true, true, false, false, false, false, false, true);
    static final List<String> READS =
        List.of(
            "readBytes POST / HTTP/1.1",
            "readAsciiString Transfer-Encoding",
            "readLine 1",
            "readLine 0");

    /// What it said before each piece, and at the end.
    final List<Boolean> canInterrupt = new ArrayList<>();

    /// By which methods it read what.
    final List<String> reads = new ArrayList<>();

    @Nullable InterruptableTask<?> parser;
    private final Iterator<String> pieces = PIECES.iterator();

    byte @Nullable [] next() {
      InterruptableTask<?> asked = parser;
      canInterrupt.add(asked != null && asked.canInterrupt());
      return pieces.hasNext() ? pieces.next().getBytes(StandardCharsets.US_ASCII) : null;
    }

    <T> T noted(String method, T read, String text) {
      reads.add(method + " " + text);
      return read;
    }
  }

  /// Notes what the parser reads by those methods at which {@link WireReader} looks.
  private static final class NotingReader extends DataReader {
    private final Steps steps;

    @SuppressWarnings("removal") // as WireReader
    NotingReader(Steps steps) {
      super(steps::next);
      this.steps = steps;
    }

    @Override
    public byte[] readBytes(int length) {
      byte[] bytes = super.readBytes(length);
      return steps.noted("readBytes", bytes, new String(bytes, StandardCharsets.US_ASCII));
    }

    @Override
    public String readAsciiString(int length) {
      String text = super.readAsciiString(length);
      return steps.noted("readAsciiString", text, text);
    }

    @Override
    public String readLine() {
      String line = super.readLine();
      return steps.noted("readLine", line, line);
    }
  }
}
