package dev.replistream.poke;

import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;

/// Stands between a client and a server of this machine, and can cut the way or let it go silent.
public final class TcpProxy implements AutoCloseable {
  private enum Way {
    OPEN,
    /// Connections are closed, and new ones refused.
    CUT,
    /// Connections stand, and nothing goes through.
    SILENT
  }

  private final int target;
  private final ServerSocket listener;
  private final Set<Socket> sockets = ConcurrentHashMap.newKeySet();
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition changed = lock.newCondition();
  private Way way = Way.OPEN;

  /// Leads to a port of this machine.
  public TcpProxy(int target) {
    this.target = target;
    try {
      listener = new ServerSocket(0, 50, InetAddress.getLoopbackAddress());
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    Thread.ofVirtual().start(this::accept);
  }

  /// The port to connect to.
  public int port() {
    return listener.getLocalPort();
  }

  /// How many clients are connected.
  public int connections() {
    return sockets.size() / 2;
  }

  /// Closes all connections, and new ones as soon as they come.
  public void cut() {
    set(Way.CUT);
    sockets.forEach(TcpProxy::close);
  }

  /// Lets nothing through any more, without a word.
  public void silence() {
    set(Way.SILENT);
  }

  /// Lets everything through again; what was held up first.
  public void restore() {
    set(Way.OPEN);
  }

  private void set(Way next) {
    lock.lock();
    try {
      way = next;
      changed.signalAll();
    } finally {
      lock.unlock();
    }
  }

  private boolean isCut() {
    lock.lock();
    try {
      return way == Way.CUT;
    } finally {
      lock.unlock();
    }
  }

  /// Waits till something may go through again.
  ///
  /// @return whether it may; else the connection was cut
  private boolean awaitSound() throws InterruptedException {
    lock.lock();
    try {
      while (way == Way.SILENT) {
        changed.await();
      }
      return way == Way.OPEN;
    } finally {
      lock.unlock();
    }
  }

  private void accept() {
    while (!listener.isClosed()) {
      try {
        Socket client = listener.accept();
        if (isCut()) {
          close(client);
          continue;
        }
        Socket server = new Socket(InetAddress.getLoopbackAddress(), target);
        sockets.add(client);
        sockets.add(server);
        Thread.ofVirtual().start(() -> copy(client, server));
        Thread.ofVirtual().start(() -> copy(server, client));
      } catch (IOException _) {
        // the target is away, or the proxy was closed
      }
    }
  }

  private void copy(Socket from, Socket to) {
    byte[] buffer = new byte[8192];
    try (from;
        to) {
      InputStream in = from.getInputStream();
      OutputStream out = to.getOutputStream();
      for (int count = in.read(buffer); count >= 0 && awaitSound(); count = in.read(buffer)) {
        out.write(buffer, 0, count);
      }
    } catch (IOException _) {
      // one side has left
    } catch (InterruptedException _) {
      Thread.currentThread().interrupt();
    } finally {
      sockets.remove(from);
      sockets.remove(to);
    }
  }

  private static void close(Socket socket) {
    try {
      socket.close();
    } catch (IOException _) {
      // it is closed
    }
  }

  @Override
  public void close() {
    set(Way.CUT);
    try {
      listener.close();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
    sockets.forEach(TcpProxy::close);
  }
}
