package dev.replistream.sync;

import dev.replistream.db.TestPostgres;

/// The model of pulls on PostgreSQL.
class PostgresPullModelTest extends PullModel {
  PostgresPullModelTest() {
    super(TestDatabase.postgres(TestPostgres.newDatabase()));
  }
}
