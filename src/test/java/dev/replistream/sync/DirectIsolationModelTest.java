package dev.replistream.sync;

/// The model of isolation where owners add members without asking them.
class DirectIsolationModelTest extends IsolationModel {
  DirectIsolationModelTest() {
    super("ROOMS_MEMBERSHIP", "direct");
  }
}
