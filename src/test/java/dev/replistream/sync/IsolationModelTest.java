package dev.replistream.sync;

/// The model of isolation on SQLite.
class IsolationModelTest extends IsolationModel {}
