package dev.replistream.sync;

import dev.replistream.TestService;
import dev.replistream.db.TestPostgres;

/// The model of isolation on PostgreSQL.
class PostgresIsolationModelTest extends IsolationModel {
  PostgresIsolationModelTest() {
    super(
        TestService.start(
            "DB_URL",
            TestPostgres.newDatabase(),
            "DB_USER",
            "postgres",
            "ROOMS_MEMBERSHIP",
            "direct"));
  }
}
