package dev.replistream;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.function.IntFunction;

/// Requests that race.
public final class AtOnce {
  private AtOnce() {}

  /// Sends `count` requests at the same time.
  ///
  /// @param request sends one, by its index
  /// @return their replies, in the order of the indexes
  public static List<HttpReply> send(int count, IntFunction<HttpReply> request) throws Exception {
    CountDownLatch start = new CountDownLatch(1);
    List<HttpReply> replies = new ArrayList<>();
    try (ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor()) {
      List<Future<HttpReply>> sent = new ArrayList<>();
      for (int i = 0; i < count; i++) {
        int index = i;
        sent.add(
            threads.submit(() -> {
              start.await();
              return request.apply(index);
            }));
      }
      start.countDown();
      for (Future<HttpReply> each : sent) {
        replies.add(each.get(60, TimeUnit.SECONDS));
      }
    }
    return replies;
  }
}
