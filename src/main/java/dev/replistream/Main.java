package dev.replistream;

import dev.replistream.auth.KeysException;
import java.time.Clock;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;

/// The command line's entry.
public final class Main {
  private Main() {}

  /// Runs one command and exits with its code.
  public static void main(String[] args) throws InterruptedException {
    System.setProperty("java.util.logging.manager", Logs.Manager.class.getName());
    try {
      Settings settings = Settings.load(Optional.empty(), System.getenv());
      Logs.start(settings.logLevel(), System.out);
      Application application = new Application(settings, Clock.systemUTC()).start();
      Runtime.getRuntime().addShutdownHook(new Thread(application::close, "shutdown"));
      new CountDownLatch(1).await();
    } catch (SettingsException | KeysException e) {
      System.err.println("replistream: " + e.getMessage());
      System.exit(2);
    }
  }
}
