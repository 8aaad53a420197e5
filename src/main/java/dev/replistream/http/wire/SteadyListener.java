package dev.replistream.http.wire;

import io.helidon.webserver.WebServer;
import io.helidon.webserver.http.HttpFeature;
import io.helidon.webserver.http.HttpRouting;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.net.ServerSocket;
import java.net.SocketAddress;
import java.net.SocketOption;
import java.nio.channels.ClosedChannelException;
import java.nio.channels.ServerSocketChannel;
import java.nio.channels.SocketChannel;
import java.time.Duration;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/// Keeps a listener of Helidon accepting. When `accept` fails, as it does when the process has no
/// file descriptor left, Helidon ends the listener with all its connections, for good. This one
/// closes what can be spared, waits for a moment and accepts again. It also leaves clients in the
/// kernel's backlog while there are as many connections as the heap and the descriptors allow.
///
/// Helidon makes the listener's socket itself, so it is exchanged once the listener runs: the
/// `accept` that is under way then is the only one without this care.
///
/// Thread-safe.
public final class SteadyListener implements HttpFeature {
  private static final VarHandle LISTENERS = HelidonInternals.Field.LISTENERS.handle();
  private static final VarHandle SOCKET = HelidonInternals.Field.SERVER_SOCKET.handle();
  private static final Duration PAUSE = Duration.ofMillis(20);

  /// Then one more is let in, however full it is, so that no error in counting stops it for good.
  private static final int MOST_PAUSES = 50;

  private final String name;
  private final Crowd crowd;
  private volatile @Nullable ServerSocketChannel socket;

  /// The care of one listener, from the moment when its server has started.
  ///
  /// @param name Helidon's name of the listener
  /// @param crowd its connections
  public SteadyListener(String name, Crowd crowd) {
    this.name = name;
    this.crowd = crowd;
  }

  /// Adds no route.
  @Override
  public void setup(HttpRouting.Builder routing) {
    // what it does begins with the server
  }

  @Override
  public void afterStart(WebServer server) {
    Object listener = ((Map<?, ?>) LISTENERS.get(server)).get(name);
    ServerSocketChannel own = (ServerSocketChannel) SOCKET.get(listener);
    SOCKET.set(listener, new Steady(own));
    socket = own;
  }

  /// Whether clients are accepted, now or as soon as there is room for one.
  public boolean isListening() {
    ServerSocketChannel own = socket;
    return own != null && own.isOpen();
  }

  /// The listener's socket, as Helidon sees it.
  private final class Steady extends ServerSocketChannel {
    private final ServerSocketChannel own;

    Steady(ServerSocketChannel own) {
      super(own.provider());
      this.own = own;
    }

    @Override
    public SocketChannel accept() throws IOException {
      while (true) {
        awaitRoom();
        try {
          SocketChannel accepted = own.accept();
          crowd.accepted();
          return accepted;
        } catch (ClosedChannelException e) {
          throw e; // the server is stopping
        } catch (IOException e) {
          crowd.acceptFailed(e);
          pause();
        }
      }
    }

    private void awaitRoom() {
      for (int i = 0; i < MOST_PAUSES && own.isOpen() && crowd.isFull(); i++) {
        crowd.makeRoom();
        if (crowd.isFull()) {
          pause();
        }
      }
    }

    private static void pause() {
      try {
        Thread.sleep(PAUSE);
      } catch (InterruptedException _) {
        Thread.currentThread().interrupt(); // so that the next accept fails: the server is stopping
      }
    }

    @Override
    public ServerSocketChannel bind(@Nullable SocketAddress local, int backlog) throws IOException {
      own.bind(local, backlog);
      return this;
    }

    @Override
    public <T> ServerSocketChannel setOption(SocketOption<T> name, T value) throws IOException {
      own.setOption(name, value);
      return this;
    }

    @Override
    public <T> T getOption(SocketOption<T> name) throws IOException {
      return own.getOption(name);
    }

    @Override
    public Set<SocketOption<?>> supportedOptions() {
      return own.supportedOptions();
    }

    @Override
    public ServerSocket socket() {
      return own.socket();
    }

    @Override
    public SocketAddress getLocalAddress() throws IOException {
      return own.getLocalAddress();
    }

    @Override
    protected void implCloseSelectableChannel() throws IOException {
      own.close();
    }

    @Override
    protected void implConfigureBlocking(boolean block) throws IOException {
      own.configureBlocking(block);
    }
  }
}
