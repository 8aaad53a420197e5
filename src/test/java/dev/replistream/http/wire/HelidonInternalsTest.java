package dev.replistream.http.wire;

import static java.util.Objects.requireNonNull;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;

import dev.replistream.cli.CommandProcess;
import io.helidon.common.socket.PlainSocket;
import io.helidon.webserver.WebServer;
import io.helidon.webserver.http1.Http1Connection;
import java.io.File;
import java.io.IOException;
import java.io.InputStream;
import java.lang.classfile.ClassFile;
import java.lang.classfile.ClassModel;
import java.lang.classfile.MethodModel;
import java.lang.reflect.InvocationTargetException;
import java.net.URL;
import java.net.URLClassLoader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/// What happens where Helidon is another one: its classes are changed for that, as they come from
/// their jars.
class HelidonInternalsTest {
  /// A class of Helidon's, in which something has another name of the same length.
  private static byte[] renamed(String className, String from, String to) throws IOException {
    String bytes = new String(bytes(className), StandardCharsets.ISO_8859_1);
    String length = "\0" + (char) from.length(); // before a name in a class file
    assertThat(bytes).contains(length + from);
    return bytes.replace(length + from, length + to).getBytes(StandardCharsets.ISO_8859_1);
  }

  private static byte[] bytes(String className) throws IOException {
    String file = className.replace('.', '/') + ".class";
    try (InputStream in = WebServer.class.getClassLoader().getResourceAsStream(file)) {
      assertThat(in).isNotNull();
      return in.readAllBytes();
    }
  }

  /// The program's classes and Helidon's anew, of which one is another.
  private static final class Changed extends URLClassLoader {
    private final String name;
    private final byte[] bytes;

    Changed(String name, byte[] bytes) throws IOException {
      super(classPath(), ClassLoader.getPlatformClassLoader());
      this.name = name;
      this.bytes = bytes;
    }

    private static URL[] classPath() throws IOException {
      List<URL> urls = new ArrayList<>();
      for (String entry : System.getProperty("java.class.path").split(File.pathSeparator)) {
        urls.add(Path.of(entry).toUri().toURL());
      }
      return urls.toArray(URL[]::new);
    }

    @Override
    protected Class<?> findClass(String wanted) throws ClassNotFoundException {
      return wanted.equals(name)
          ? defineClass(name, bytes, 0, bytes.length)
          : super.findClass(wanted);
    }
  }

  /// What the check says where a class is another.
  private static String refusal(String className, byte[] bytes) throws Exception {
    Thread thread = Thread.currentThread();
    ClassLoader before = thread.getContextClassLoader();
    try (Changed changed = new Changed(className, bytes)) {
      thread.setContextClassLoader(changed);
      changed.loadClass(HelidonInternals.class.getName()).getMethod("check").invoke(null);
      return "";
    } catch (InvocationTargetException e) {
      return String.valueOf(requireNonNull(e.getCause()).getMessage());
    } finally {
      thread.setContextClassLoader(before);
    }
  }

  @Test
  void theHelidonThatIsBuiltWithIsTheRightOne() {
    assertThatCode(HelidonInternals::check).doesNotThrowAnyException();
  }

  @ParameterizedTest
  @CsvSource({
    "io.helidon.common.socket.PlainSocket, delegate, original, Socket",
    "io.helidon.webserver.LoomServer, listeners, receivers, Map",
    "io.helidon.webserver.ServerListener, serverSocket, clientSocket, ServerSocketChannel"
  })
  void aFieldThatIsMissingIsNamed(String owner, String field, String other, String type)
      throws Exception {
    assertThat(refusal(owner, renamed(owner, field, other)))
        .matches(
            "Helidon .* has no field %s of type %s in %s: this service needs Helidon 4.5"
                .formatted(field, type, owner));
  }

  @Test
  void aParserThatSaysOtherwiseWhereARequestBeginsIsNoticed() throws Exception {
    String name = Http1Connection.class.getName();
    ClassFile files = ClassFile.of();
    ClassModel parsed = files.parse(bytes(name));
    byte[] always =
        files.transformClass(
            parsed,
            (builder, element) -> {
              if (element instanceof MethodModel method
                  && method.methodName().equalsString("canInterrupt")) {
                builder.withMethodBody(
                    method.methodName(),
                    method.methodType(),
                    method.flags().flagsMask(),
                    code -> code.iconst_1().ireturn());
              } else {
                builder.with(element);
              }
            });

    assertThat(refusal(name, always)).contains("canInterrupt").contains("needs Helidon 4.5");
  }

  @Test
  void aParserThatReadsByOtherStepsIsNoticed() throws Exception {
    String name = "io.helidon.webserver.http1.Http1Connection";

    assertThat(refusal(name, renamed(name, "readLine", "toString")))
        .contains("by other steps")
        .contains("needs Helidon 4.5");
  }

  @Test
  void theStartEndsWithOneLine(@TempDir Path directory) throws Exception {
    String name = PlainSocket.class.getName();
    Path file = directory.resolve(name.replace('.', '/') + ".class");
    Files.createDirectories(file.getParent());
    Files.write(file, renamed(name, "delegate", "original"));

    try (CommandProcess process =
        CommandProcess.startWithClasses(
            directory, Map.of("REPLISTREAM_DATA_DIR", directory.toString()), "serve")) {
      assertThat(process.exitCode()).isEqualTo(2);
      assertThat(process.err().toString())
          .matches("replistream: Helidon .* has no field delegate .* needs Helidon 4.5\\s*");
    }
  }
}
