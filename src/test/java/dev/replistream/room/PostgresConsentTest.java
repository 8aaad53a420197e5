package dev.replistream.room;

import dev.replistream.db.TestPostgres;

class PostgresConsentTest extends ConsentRules {
  PostgresConsentTest() {
    super("DB_URL", TestPostgres.newDatabase(), "DB_USER", "postgres");
  }
}
