package dev.replistream.data;

import java.util.List;

/// What a database holds for others to read, as lines of JSON: which tables, and which columns of
/// them. What can be counted again, what was deleted, the journal and the answers kept by a key are
/// left out. Immutable.
final class Archive {
  /// The version of the form, which stands in the first line.
  static final int FORMAT = 1;

  private Archive() {}

  /// What a column holds.
  enum Type {
    /// Text.
    TEXT,
    /// A whole number, which may be null.
    NUMBER,
    /// A key, as its bytes.
    KEY,
    /// JSON in UTF-8.
    JSON
  }

  /// A column.
  record Column(String name, Type type) {}

  /// A table.
  ///
  /// @param keys how many columns are its primary key; these come first
  record Table(String name, int keys, List<Column> columns) {}

  private static Column text(String name) {
    return new Column(name, Type.TEXT);
  }

  private static Column number(String name) {
    return new Column(name, Type.NUMBER);
  }

  /// The tables, in the order in which they are written and read. The spaces come last: till then a
  /// client that pulls knows of none, and so misses none of the entries that come later.
  static final List<Table> TABLES =
      List.of(
          new Table(
              "revocation",
              2,
              List.of(
                  text("kind"),
                  text("subject"),
                  number("revoked_at"),
                  number("expires_at"),
                  number("version"))),
          new Table("room", 1, List.of(text("id"), number("created_at"))),
          new Table(
              "invitation",
              2,
              List.of(
                  text("room"),
                  text("user_id"),
                  text("role"),
                  text("invited_by"),
                  number("invited_at"),
                  number("declined_at"),
                  number("withdrawn_at"))),
          new Table(
              "room_link",
              1,
              List.of(
                  text("id"),
                  text("room"),
                  text("role"),
                  text("created_by"),
                  number("expires_at"),
                  number("uses_left"))),
          new Table(
              "client_group",
              1,
              List.of(
                  text("id"),
                  text("user_id"),
                  number("version"),
                  number("seen_at"),
                  number("folded_version"),
                  text("epoch"))),
          new Table(
              "client",
              1,
              List.of(
                  text("id"),
                  text("group_id"),
                  number("last_mutation_id"),
                  number("version"),
                  number("seen_at"))),
          new Table(
              "folded_client",
              2,
              List.of(text("group_id"), text("id"), number("last_mutation_id"))),
          new Table("former_epoch", 2, List.of(text("group_id"), text("epoch"), number("version"))),
          new Table(
              "rejection",
              2,
              List.of(text("user_id"), number("seq"), new Column("content", Type.JSON))),
          new Table(
              "entry",
              2,
              List.of(
                  text("space"),
                  new Column("key", Type.KEY),
                  number("born"),
                  number("version"),
                  number("changed_at"),
                  new Column("value", Type.JSON))),
          new Table(
              "member", 2, List.of(text("room"), text("user_id"), text("role"), number("since"))),
          new Table(
              "space",
              1,
              List.of(
                  text("id"),
                  number("version"),
                  number("compacted"),
                  number("entry_bytes"),
                  number("client_bytes"))));

  /// What is read of a table. Nothing is known of what was deleted before.
  static String source(Table table) {
    return table.name().equals("space")
        ? "(SELECT id, version, version AS compacted, entry_bytes, client_bytes FROM space) AS spaces"
        : table.name();
  }
}
