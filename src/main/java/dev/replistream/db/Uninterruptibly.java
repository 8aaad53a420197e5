package dev.replistream.db;

/// Waits for the end of something although the thread is told not to wait; it is told again after.
final class Uninterruptibly {
  private Uninterruptibly() {}

  /// What waits.
  @FunctionalInterface
  interface Wait {
    void run() throws InterruptedException;
  }

  /// Waits, again from the start after each interrupt.
  static void run(Wait wait) {
    boolean interrupted = false;
    while (true) {
      try {
        wait.run();
        break;
      } catch (InterruptedException _) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
