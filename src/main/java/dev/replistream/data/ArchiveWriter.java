package dev.replistream.data;

import dev.replistream.api.Key;
import dev.replistream.data.Archive.Column;
import dev.replistream.data.Archive.Table;
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

/// Writes a snapshot as lines of JSON: the first says what it is and how many lines there are, and
/// the last that it is whole. Confined to the snapshot of its {@link Session}.
public final class ArchiveWriter {
  private final Session session;
  private final OutputStream out;

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
    long lines = count();
    line(
        "{\"kind\":\"replistream\",\"format\":"
            + Archive.FORMAT
            + ",\"at\":\""
            + Json.timestamp(now)
            + "\",\"lines\":"
            + lines
            + "}");
    for (Table table : Archive.TABLES) {
      write(table);
    }
    line("{\"kind\":\"end\",\"lines\":" + lines + "}");
    return lines;
  }

  private long count() throws SQLException {
    long lines = 0;
    for (Table table : Archive.TABLES) {
      PreparedStatement select = session.prepare("SELECT count(*) FROM " + table.name());
      try (ResultSet row = select.executeQuery()) {
        row.next();
        lines += row.getLong(1);
      }
    }
    return lines;
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
