package dev.replistream;

import java.lang.invoke.MethodHandle;
import java.lang.invoke.MethodHandleProxies;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.MethodType;

/// Ends of the process that someone asked for. The JVM makes an end by a signal look like a failure
/// (143 for SIGTERM), and systemd reports it as one.
///
/// What the JDK has for it is `sun.misc.Signal` of the module `jdk.unsupported`. It is looked up by
/// its name, as javac warns of it in a way that can't be suppressed.
final class Signals {
  private Signals() {}

  /// Lets SIGTERM and SIGINT end this process in order, with exit code 0. Where the JVM leaves
  /// signals alone (`-Xrs`), or does not have that class, they do what they did before; and one
  /// that this process was started to ignore, as by `nohup`, it goes on to ignore.
  static void endInOrder() {
    try {
      Class<?> signal = Class.forName("sun.misc.Signal");
      Class<?> handler = Class.forName("sun.misc.SignalHandler");
      MethodHandle exit =
          MethodHandles.insertArguments(
              MethodHandles.lookup()
                  .findStatic(System.class, "exit", MethodType.methodType(void.class, int.class)),
              0,
              0);
      Object onSignal =
          MethodHandleProxies.asInterfaceInstance(
              handler, MethodHandles.dropArguments(exit, 0, signal));
      for (String name : new String[] {"TERM", "INT"}) {
        signal
            .getMethod("handle", signal, handler)
            .invoke(null, signal.getConstructor(String.class).newInstance(name), onSignal);
      }
    } catch (ReflectiveOperationException _) {
      // the JVM ends the process in its own way, in order too
    }
  }
}
