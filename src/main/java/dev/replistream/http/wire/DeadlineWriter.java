package dev.replistream.http.wire;

import io.helidon.common.buffers.BufferData;
import io.helidon.common.buffers.DataWriter;
import io.helidon.webserver.ConnectionContext;
import io.helidon.webserver.ServerConnectionException;
import java.io.UncheckedIOException;
import java.time.Duration;

/// What Helidon writes responses with: each write is one call to the socket, and has a deadline.
///
/// @param timeout how long a write may take
record DeadlineWriter(ConnectionContext context, IoTimer timer, Duration timeout)
    implements DataWriter {
  @Override
  public void write(BufferData... buffers) {
    writeNow(BufferData.create(buffers));
  }

  @Override
  public void write(BufferData buffer) {
    writeNow(buffer);
  }

  @Override
  public void writeNow(BufferData... buffers) {
    writeNow(BufferData.create(buffers));
  }

  @Override
  public void writeNow(BufferData buffer) {
    timer.writeWithin(timeout);
    try {
      context.dataWriter().writeNow(buffer);
    } catch (UncheckedIOException e) {
      throw new ServerConnectionException("The client's connection ended", e);
    } finally {
      timer.writeDone();
    }
  }
}
