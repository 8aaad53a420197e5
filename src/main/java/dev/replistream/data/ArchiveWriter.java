package dev.replistream.data;

import dev.replistream.api.Key;
import dev.replistream.data.Archive.Column;
import dev.replistream.data.Archive.Table;
import dev.replistream.db.Dialect;
import dev.replistream.db.Session;
import dev.replistream.json.Json;
import java.io.IOException;
import java.io.OutputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.time.Instant;
import java.util.List;
import java.util.stream.Collectors;

/// Writes a snapshot as lines of JSON: the first says what it is and about how many lines there
/// are, and the last how many there were, so that it is whole. Confined to the snapshot of its
/// {@link Session}.
public final class ArchiveWriter {
  private final Session session;
  private final OutputStream out;
  private long lines;

  /// @param out buffered, and closed by the caller
  public ArchiveWriter(Session session, OutputStream out) {
    this.session = session;
    this.out = out;
  }

  /// Writes all of it.
  ///
  /// @return how many lines there are, without the first and the last
  /// @throws UncheckedIOException when the reader is gone
  public long write(Instant now) throws SQLException {
    line(
        "{\"kind\":\"replistream\",\"format\":"
            + Archive.FORMAT
            + ",\"at\":\""
            + Json.timestamp(now)
            + "\",\"lines\":"
            + about()
            + "}");
    for (Table table : Archive.TABLES) {
      write(table);
    }
    line("{\"kind\":\"end\",\"lines\":" + lines + "}");
    return lines;
  }

  /// About how many lines there will be, for whoever waits for them. PostgreSQL would take longer
  /// to count than a statement may.
  private long about() throws SQLException {
    long all = 0;
    for (Table table : Archive.TABLES) {
      PreparedStatement select =
          session.prepare(
              session.dialect() == Dialect.SQLITE
                  ? "SELECT count(*) FROM " + table.name()
                  : "SELECT greatest(reltuples, 0)::bigint FROM pg_class WHERE oid = '%s'::regclass"
                      .formatted(table.name()));
      try (ResultSet row = select.executeQuery()) {
        row.next();
        all += row.getLong(1);
      }
    }
    return all;
  }

  private void write(Table table) throws SQLException {
    List<Column> columns = table.columns();
    String names = columns.stream().map(Column::name).collect(Collectors.joining(", "));
    PreparedStatement select =
        session.prepare("SELECT " + names + " FROM " + Archive.source(table));
    select.setFetchSize(EntryStore.ROWS_AT_ONCE);
    byte[] begin = ("{\"kind\":\"" + table.name() + "\"").getBytes(StandardCharsets.UTF_8);
    List<byte[]> members =
        columns.stream()
            .map(column -> (",\"" + column.name() + "\":").getBytes(StandardCharsets.UTF_8))
            .toList();
    try (ResultSet row = select.executeQuery()) {
      while (row.next()) {
        out.write(begin);
        for (int i = 0; i < columns.size(); i++) {
          out.write(members.get(i));
          write(row, i + 1, columns.get(i));
        }
        out.write('}');
        out.write('\n');
        lines++;
      }
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  private void write(ResultSet row, int index, Column column) throws SQLException, IOException {
    switch (column.type()) {
      case TEXT -> Key.of(row.getString(index)).writeJson(out);
      case KEY -> Key.ofBytes(row.getBytes(index)).writeJson(out);
      case JSON -> out.write(row.getBytes(index));
      case NUMBER -> {
        long number = row.getLong(index);
        out.write(
            (row.wasNull() ? "null" : Long.toString(number)).getBytes(StandardCharsets.US_ASCII));
      }
    }
  }

  private void line(String text) {
    try {
      out.write(text.getBytes(StandardCharsets.UTF_8));
      out.write('\n');
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
