/// The database: a pool, transactions and migrations, on SQLite or PostgreSQL. It knows nobody, and
/// what the tables mean is not its business. Thread-safe; work runs on the calling thread
/// (PostgreSQL) or on threads of its own (SQLite), so it must not depend on the thread.
@NullMarked
package dev.replistream.db;

import org.jspecify.annotations.NullMarked;
