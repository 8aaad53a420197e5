package dev.replistream.cli;

import dev.replistream.auth.TokenSigner;
import java.net.URI;
import java.nio.file.Path;
import java.util.Optional;
import java.util.function.Consumer;

/// The service that the commands start or ask about. Each method reads the settings anew, from
/// `config` where a file was named and from the environment; each throws a {@link CommandException}
/// of one line when they are not good.
///
/// Confined to the thread that runs the command.
public interface Service {
  /// Starts the service and serves until the process is told to stop.
  ///
  /// @param mutators a file of mutators, which goes before the one that the settings name
  /// @param started called once the service takes connections, with the address of its API's port
  void serve(Optional<Path> config, Optional<Path> mutators, Consumer<URI> started)
      throws InterruptedException;

  /// Where a client on this machine finds a service with these settings, such as
  /// `http://127.0.0.1:8000`.
  URI url(Optional<Path> config);

  /// Whether a service with these settings makes its own key and serves this machine only.
  boolean isDevelopmentMode(Optional<Path> config);

  /// What signs the tokens that a service with these settings accepts. Makes no key: one that no
  /// service has would sign nothing of use.
  TokenSigner signer(Optional<Path> config);

  /// What became of a database that was set back to a backup.
  ///
  /// @param database where it is, without credentials
  /// @param clientGroups how many it has
  record Restored(String database, String formerEpoch, String epoch, long clientGroups) {}

  /// Gives the database of these settings a new epoch. It has to be there, and where it is a file
  /// no service may run on it.
  ///
  /// @param isLate whether a service has run on it since it was set back
  Restored restored(Optional<Path> config, boolean isLate);

  /// Copies the file of SQLite that these settings name, also while a service runs on it.
  ///
  /// @param file must not be there yet
  /// @return how many bytes the copy has
  long backup(Optional<Path> config, Path file);

  /// Where that has its key from, in words.
  String keyPlace(Optional<Path> config);
}
