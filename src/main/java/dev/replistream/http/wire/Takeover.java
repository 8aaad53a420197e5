package dev.replistream.http.wire;

import io.helidon.common.GenericType;
import io.helidon.common.buffers.BufferData;
import io.helidon.common.media.type.MediaType;
import io.helidon.webserver.http.ServerRequest;
import io.helidon.webserver.http.ServerResponse;
import io.helidon.webserver.http.spi.Sink;
import io.helidon.webserver.http.spi.SinkProvider;
import io.helidon.webserver.http.spi.SinkProviderContext;
import java.util.function.BiConsumer;
import java.util.function.Consumer;

/// How a handler takes its connection over: Helidon gives a sink the connection beneath the
/// response, and this sink hands that connection's {@link TakenSocket} to a session that writes the
/// response itself, head and all.
public final class Takeover implements Sink<byte[]> {
  private static final GenericType<Takeover> TYPE = GenericType.create(Takeover.class);

  private final Wire wire;
  private final Runnable responseDone;

  private Takeover(Wire wire, Runnable responseDone) {
    this.wire = wire;
    this.responseDone = responseDone;
  }

  /// Lets `session` run on this connection's thread as soon as the handler has returned. The
  /// handler sends nothing itself. When the session returns, the connection is closed.
  public static void start(ServerResponse response, Consumer<TakenSocket> session) {
    Takeover takeover = response.sink(TYPE);
    takeover.responseDone.run();
    takeover.wire.takeOver(session);
  }

  /// The connection beneath a response.
  static Wire wire(ServerResponse response) {
    return response.sink(TYPE).wire;
  }

  @Override
  public Takeover emit(byte[] bytes) {
    wire.dataWriter().writeNow(BufferData.create(bytes));
    return this;
  }

  @Override
  public void close() {
    wire.abort();
  }

  /// Found by Helidon through the service loader.
  public static final class Provider implements SinkProvider<byte[]> {
    /// For the service loader.
    public Provider() {}

    @Override
    public boolean supports(GenericType<? extends Sink<?>> type, ServerRequest request) {
      return type.equals(TYPE);
    }

    @Override
    @SuppressWarnings({"unchecked", "TypeParameterUnusedInFormals"}) // as the SPI has it
    public <X extends Sink<byte[]>> X create(SinkProviderContext context) {
      return (X) new Takeover((Wire) context.connectionContext(), context.closeRunnable());
    }

    @Override
    @Deprecated
    @SuppressWarnings({"removal", "TypeParameterUnusedInFormals"}) // abstract in Helidon 4
    public <X extends Sink<byte[]>> X create(
        ServerResponse response,
        BiConsumer<Object, MediaType> eventConsumer,
        Runnable closeRunnable) {
      throw new UnsupportedOperationException("a takeover needs the connection");
    }
  }
}
