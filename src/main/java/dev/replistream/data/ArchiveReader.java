package dev.replistream.data;

import com.fasterxml.jackson.core.JsonParser;
import com.fasterxml.jackson.core.JsonToken;
import dev.replistream.api.Id;
import dev.replistream.api.Key;
import dev.replistream.api.Role;
import dev.replistream.data.Archive.Column;
import dev.replistream.data.Archive.Table;
import dev.replistream.db.Session;
import dev.replistream.json.Json;
import dev.replistream.json.JsonException;
import dev.replistream.json.JsonText;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Types;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.stream.Collectors;
import org.jspecify.annotations.Nullable;

/// Brings lines of JSON into a database that has nothing in it yet, some in each transaction. A row
/// that is there already is set again, so that an archive may be read once more after a part of it.
///
/// Stateless but for what {@link #read} knows of the archive; confined to one thread.
public final class ArchiveReader {
  /// In `meta` while an archive is read, and after that was cut short.
  private static final String MARK = "import";

  private static final int MAX_VALUE_LENGTH = 64 << 20;

  private static final Map<String, Table> TABLES =
      Archive.TABLES.stream().collect(Collectors.toMap(Table::name, Function.identity()));

  private long lines;
  private boolean hasBegun;
  private boolean hasEnded;

  /// A line is not one of an archive. The message says why, without anything of the line.
  public static final class BadLineException extends RuntimeException {
    private static final long serialVersionUID = 1;

    /// @param message why, to follow on the line's number
    public BadLineException(String message) {
      super(message, null, false, false);
    }
  }

  /// A row for a table.
  ///
  /// @param values as the columns are, each a string, a number, bytes, or null
  private record Row(Table table, List<@Nullable Object> values) {}

  /// Some rows, to be written in one transaction.
  public static final class Rows {
    private final List<Row> rows = new ArrayList<>();

    /// How many there are.
    public int count() {
      return rows.size();
    }

    /// Writes them.
    public void write(Session session) throws SQLException {
      @Nullable Table table = null;
      @Nullable PreparedStatement upsert = null;
      for (Row row : rows) {
        if (upsert == null || !row.table.equals(table)) {
          if (upsert != null) {
            upsert.executeBatch();
          }
          table = row.table;
          upsert = session.prepare(upsert(table));
        }
        set(upsert, row);
        upsert.addBatch();
      }
      if (upsert != null) {
        upsert.executeBatch();
      }
    }

    private static void set(PreparedStatement upsert, Row row) throws SQLException {
      for (int i = 0; i < row.values.size(); i++) {
        switch (row.values.get(i)) {
          case null -> upsert.setNull(i + 1, Types.BIGINT);
          case String text -> upsert.setString(i + 1, text);
          case Long number -> upsert.setLong(i + 1, number);
          case byte[] bytes -> upsert.setBytes(i + 1, bytes);
          default -> throw new IllegalStateException("no value of a column");
        }
      }
    }

    private static String upsert(Table table) {
      List<String> names = table.columns().stream().map(Column::name).toList();
      return "INSERT INTO %s (%s) VALUES (%s) ON CONFLICT (%s) DO UPDATE SET %s"
          .formatted(
              table.name(),
              String.join(", ", names),
              String.join(", ", Collections.nCopies(names.size(), "?")),
              String.join(", ", names.subList(0, table.keys())),
              names.subList(table.keys(), names.size()).stream()
                  .map(name -> name + " = excluded." + name)
                  .collect(Collectors.joining(", ")));
    }
  }

  /// Reads a line.
  ///
  /// @param rows where the row goes that it has
  /// @throws BadLineException when it is no line of an archive, or none can come here
  public void read(byte[] line, Rows rows) {
    try {
      Json.read(
          line,
          parser -> {
            readLine(parser, rows);
            return lines;
          });
    } catch (JsonException e) {
      throw new BadLineException("it is " + e.getMessage());
    }
  }

  private void readLine(JsonParser parser, Rows rows) throws IOException {
    if (parser.currentToken() != JsonToken.START_OBJECT
        || !"kind".equals(parser.nextFieldName())
        || parser.nextToken() != JsonToken.VALUE_STRING) {
      throw new BadLineException("it is no object that begins with kind");
    }
    if (hasEnded) {
      throw new BadLineException("it comes behind the end");
    }
    String kind = parser.getText();
    if (!hasBegun) {
      readHead(kind, parser);
    } else if (kind.equals("end")) {
      readEnd(parser);
    } else {
      Table table = TABLES.get(kind);
      if (table == null) {
        throw new BadLineException("its kind is none that is known here");
      }
      rows.rows.add(new Row(table, values(table, parser)));
      lines++;
    }
  }

  private void readHead(String kind, JsonParser parser) throws IOException {
    long format = 0;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals("format") && parser.currentToken() == JsonToken.VALUE_NUMBER_INT) {
        format = parser.getText().length() > 9 ? 0 : parser.getLongValue();
      } else {
        parser.skipChildren();
      }
    }
    if (!kind.equals("replistream") || format != Archive.FORMAT) {
      throw new BadLineException(
          "it does not say that this is an export of format " + Archive.FORMAT);
    }
    hasBegun = true;
  }

  private void readEnd(JsonParser parser) throws IOException {
    long expected = -1;
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      if (name.equals("lines") && parser.currentToken() == JsonToken.VALUE_NUMBER_INT) {
        expected = parser.getText().length() > 18 ? -1 : parser.getLongValue();
      } else {
        parser.skipChildren();
      }
    }
    if (expected != lines) {
      throw new BadLineException("it speaks of another number of lines than there were");
    }
    hasEnded = true;
  }

  private static List<@Nullable Object> values(Table table, JsonParser parser) throws IOException {
    List<Column> columns = table.columns();
    List<@Nullable Object> values = new ArrayList<>();
    columns.forEach(_ -> values.add(null));
    boolean[] isThere = new boolean[columns.size()];
    while (parser.nextToken() != JsonToken.END_OBJECT) {
      String name = parser.currentName();
      parser.nextToken();
      int index = 0;
      while (index < columns.size() && !columns.get(index).name().equals(name)) {
        index++;
      }
      if (index == columns.size() || isThere[index]) {
        throw new BadLineException("it has a member that is none of its kind, or twice");
      }
      values.set(index, value(columns.get(index), parser));
      requireSound(table, name, values.get(index));
      isThere[index] = true;
    }
    for (int i = 0; i < isThere.length; i++) {
      if (!isThere[i]) {
        throw new BadLineException(columns.get(i).name() + " is missing");
      }
    }
    return values;
  }

  private static @Nullable Object value(Column column, JsonParser parser) throws IOException {
    JsonToken token = parser.currentToken();
    Object value =
        switch (column.type()) {
          case TEXT ->
              token == JsonToken.VALUE_STRING && parser.getText().indexOf(0) < 0
                  ? parser.getText()
                  : null;
          case KEY -> token == JsonToken.VALUE_STRING ? key(parser.getText()) : null;
          case NUMBER ->
              token == JsonToken.VALUE_NUMBER_INT && parser.getText().length() <= 18
                  ? (Object) parser.getLongValue()
                  : null;
          case JSON ->
              JsonText.read(parser, MAX_VALUE_LENGTH, () -> true)
                  .text()
                  .map(text -> text.getBytes(StandardCharsets.UTF_8))
                  .orElse(null);
        };
    boolean mayBeNull = column.name().equals("declined_at") || column.name().equals("withdrawn_at");
    if (value == null && !(mayBeNull && token == JsonToken.VALUE_NULL)) {
      throw new BadLineException(column.name() + " is not what it has to be");
    }
    return value;
  }

  /// Sees to it that an id or a role is one.
  private static void requireSound(Table table, String column, @Nullable Object value) {
    boolean isSound =
        !(value instanceof String text)
            || switch (table.name() + '.' + column) {
              case "room.id" -> Id.isValid(text);
              case "space.id", "entry.space" -> Spaces.isValid(text);
              default ->
                  switch (column) {
                    case "room", "user_id" -> Id.isValid(text);
                    case "role" -> Role.of(text).isPresent();
                    default -> true;
                  };
            };
    if (!isSound) {
      throw new BadLineException(column + " is not what it has to be");
    }
  }

  private static byte @Nullable [] key(String text) {
    byte[] bytes = Key.of(text).bytes();
    return bytes.length > Key.MAX_BYTES ? null : bytes;
  }

  /// How many rows were read.
  public long lines() {
    return lines;
  }

  /// Whether the last line was read, which says that it was whole.
  public boolean hasEnded() {
    return hasEnded;
  }

  /// Notes that an archive is being read into the database.
  ///
  /// @return whether it may be: there is nothing in it but what an earlier time has left
  public static boolean begin(Session session) throws SQLException {
    PreparedStatement marked = session.prepare("SELECT 1 FROM meta WHERE name = ?");
    marked.setString(1, MARK);
    try (ResultSet row = marked.executeQuery()) {
      if (row.next()) {
        return true;
      }
    }
    for (String table : List.of("entry", "room", "client_group", "space")) {
      PreparedStatement select = session.prepare("SELECT 1 FROM " + table + " LIMIT 1");
      try (ResultSet row = select.executeQuery()) {
        if (row.next()) {
          return false;
        }
      }
    }
    PreparedStatement mark = session.prepare("INSERT INTO meta (name, content) VALUES (?, '')");
    mark.setString(1, MARK);
    mark.executeUpdate();
    return true;
  }

  /// Counts what is not in the archive, and notes that it is all there.
  public static void end(Session session) throws SQLException {
    for (String each :
        List.of(
            "DELETE FROM member_count",
            "INSERT INTO member_count (space, members) SELECT 'r/' || room, COUNT(*) FROM member GROUP BY room",
            "INSERT INTO member_count (space, members) SELECT 'u/' || user_id, COUNT(*) FROM member GROUP BY user_id",
            "UPDATE revocation_version SET version = (SELECT coalesce(max(version), 0) FROM revocation)"
                + " WHERE version < (SELECT coalesce(max(version), 0) FROM revocation)")) {
      session.prepare(each).executeUpdate();
    }
    PreparedStatement unmark = session.prepare("DELETE FROM meta WHERE name = ?");
    unmark.setString(1, MARK);
    unmark.executeUpdate();
  }
}
