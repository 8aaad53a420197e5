package dev.replistream.db;

import dev.replistream.Eventually;
import io.zonky.test.db.postgres.embedded.EmbeddedPostgres;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;

/// A PostgreSQL server of a test's own, which it can kill and start again with what it held.
/// Confined to one thread.
public final class TestPostgresServer implements AutoCloseable {
  private final Path data;
  private final int port;
  private EmbeddedPostgres server;

  private TestPostgresServer(Path data) throws IOException {
    this.data = data;
    this.server = builder().start();
    this.port = server.getPort();
  }

  /// Starts one with an empty database.
  ///
  /// @param data a directory that does not exist yet
  public static TestPostgresServer start(Path data) throws IOException {
    return new TestPostgresServer(data);
  }

  private EmbeddedPostgres.Builder builder() {
    return TestPostgres.builder().setDataDirectory(data).setCleanDataDirectory(false);
  }

  /// The URL of its database, which needs no password.
  public String url() {
    return server.getJdbcUrl("postgres", "postgres");
  }

  /// Ends all of its processes at once.
  public void kill() throws IOException {
    List<ProcessHandle> processes = PostgresProcesses.of(data);
    processes.forEach(ProcessHandle::destroyForcibly);
    Eventually.holds("killed", () -> processes.stream().noneMatch(ProcessHandle::isAlive));
  }

  /// Starts it again on its port.
  public void startAgain() throws IOException {
    server.close(); // it is dead, and the class that started it holds a lock
    server = builder().setPort(port).start();
  }

  @Override
  public void close() throws IOException {
    server.close();
  }
}
