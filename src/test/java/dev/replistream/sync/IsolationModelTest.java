package dev.replistream.sync;

import dev.replistream.TestService;

/// The model of isolation on SQLite.
class IsolationModelTest extends IsolationModel {
  IsolationModelTest() {
    super(TestService.start("ROOMS_MEMBERSHIP", "direct"));
  }
}
