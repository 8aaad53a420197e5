package dev.replistream.sync;

import dev.replistream.db.TestPostgres;

/// The model of isolation on PostgreSQL.
class PostgresIsolationModelTest extends IsolationModel {
  PostgresIsolationModelTest() {
    super("DB_URL", TestPostgres.newDatabase(), "DB_USER", "postgres");
  }
}
