package dev.replistream.http.wire;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

class FileDescriptorsTest {
  @Test
  @EnabledOnOs(OS.LINUX)
  void connectionsLeaveRoomForFilesAndStreamsForOtherRequests() throws IOException {
    List<String> limits = Files.readAllLines(Path.of("/proc/self/limits"));
    String soft =
        limits.stream()
            .filter(line -> line.startsWith("Max open files"))
            .map(line -> line.split("\\s{2,}")[1])
            .findFirst()
            .orElseThrow();

    if (soft.equals("unlimited")) {
      assertThat(FileDescriptors.maxConnections()).isEqualTo(-1);
      assertThat(FileDescriptors.maxStreams()).isEqualTo(Integer.MAX_VALUE);
    } else {
      assertThat(FileDescriptors.maxConnections()).isPositive();
      assertThat((long) FileDescriptors.maxConnections()).isLessThan(Long.parseLong(soft));
      assertThat(FileDescriptors.maxStreams())
          .isPositive()
          .isLessThan(FileDescriptors.maxConnections());
    }
  }
}
