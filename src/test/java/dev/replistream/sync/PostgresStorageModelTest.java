package dev.replistream.sync;

import dev.replistream.db.TestPostgres;

/// The model of storage on PostgreSQL.
class PostgresStorageModelTest extends StorageModel {
  PostgresStorageModelTest() {
    super(TestDatabase.postgres(TestPostgres.newDatabase()));
  }
}
