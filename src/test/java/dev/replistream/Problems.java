package dev.replistream;

import static org.assertj.core.api.Assertions.assertThat;

import jakarta.json.JsonObject;

/// What every error of the service has to be: problem+json (RFC 9457) that a page of any origin may
/// read, and that tells nothing about the code.
public final class Problems {
  private Problems() {}

  /// Checks the whole form of an error and returns its detail.
  public static String detail(HttpReply reply, int status) {
    assertThat(reply.status()).as(reply.toString()).isEqualTo(status);
    assertThat(reply.header("Content-Type")).isEqualTo("application/problem+json");
    assertThat(reply.header("Access-Control-Allow-Origin")).isEqualTo("*");
    JsonObject problem = reply.json();
    assertThat(problem.keySet()).containsExactly("title", "status", "detail");
    assertThat(problem.getInt("status")).isEqualTo(status);
    assertThat(reply.statusLine())
        .isEqualTo("HTTP/1.1 " + status + " " + problem.getString("title"));
    assertThat(problem.getString("detail")).isNotBlank();
    tellsNothingOfTheCode(reply);
    return problem.getString("detail");
  }

  /// Checks that a response holds neither an exception nor a stack trace.
  public static void tellsNothingOfTheCode(HttpReply reply) {
    assertThat(reply.toString()).doesNotContain("Exception", "at dev.", "at io.", "at java.");
  }
}
