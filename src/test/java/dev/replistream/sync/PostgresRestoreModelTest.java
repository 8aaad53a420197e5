package dev.replistream.sync;

import static java.util.Objects.requireNonNull;

import dev.replistream.db.Database;
import dev.replistream.db.Session;
import dev.replistream.db.TestPostgres;
import java.sql.SQLException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/// The model of restores on PostgreSQL: copies of all rows, and nodes that go on running.
class PostgresRestoreModelTest extends RestoreModel {
  private static final List<String> TABLES =
      List.of(
          "meta",
          "space",
          "entry",
          "tombstone",
          "room",
          "member",
          "client_group",
          "client",
          "former_epoch");

  private final Map<String, Map<String, List<List<Object>>>> copies = new HashMap<>();

  PostgresRestoreModelTest() {
    super(TestDatabase.postgres(TestPostgres.newDatabase()));
  }

  @Override
  Database save(Database present, String name) {
    copies.put(
        name,
        present.inSnapshot(session -> {
          Map<String, List<List<Object>>> copy = new HashMap<>();
          for (String table : TABLES) {
            copy.put(table, rows(session, table));
          }
          return copy;
        }));
    return present;
  }

  private static List<List<Object>> rows(Session session, String table) throws SQLException {
    List<List<Object>> rows = new ArrayList<>();
    try (var row = session.prepare("SELECT * FROM " + table).executeQuery()) {
      while (row.next()) {
        List<Object> values = new ArrayList<>();
        for (int i = 1; i <= row.getMetaData().getColumnCount(); i++) {
          values.add(row.getObject(i));
        }
        rows.add(values);
      }
    }
    return rows;
  }

  @Override
  Database restore(Database present, String name) {
    Map<String, List<List<Object>>> copy = requireNonNull(copies.get(name));
    return present.inTransaction(session -> {
      for (String table : TABLES) {
        session.prepare("DELETE FROM " + table).executeUpdate();
        for (List<Object> values : requireNonNull(copy.get(table))) {
          var insert =
              session.prepare(
                  "INSERT INTO %s VALUES (?%s)".formatted(table, ", ?".repeat(values.size() - 1)));
          for (int i = 0; i < values.size(); i++) {
            insert.setObject(i + 1, values.get(i));
          }
          insert.executeUpdate();
        }
      }
      return present;
    });
  }
}
