package dev.replistream.web;

import io.helidon.http.Header;
import io.helidon.http.HeaderValues;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/// An HTML page of our own with the strictest Content-Security-Policy that it works under: nothing
/// from another origin, no inline script or style, in nobody's frame.
final class Page {
  /// The headers of everything that only our own pages may load.
  static final List<Header> OWN =
      List.of(HeaderValues.createCached("Cross-Origin-Resource-Policy", "same-origin"));

  private static final Pattern IMPORT_MAP =
      Pattern.compile("<script type=\"importmap\">(.*?)</script>", Pattern.DOTALL);

  private Page() {}

  /// A page of the class path.
  ///
  /// @param marks what stands in it as `{{name}}`, and what is put there
  static Asset of(String name, Map<String, Boolean> marks) {
    String html = new String(Asset.read(name), StandardCharsets.UTF_8);
    for (Map.Entry<String, Boolean> mark : marks.entrySet()) {
      html = html.replace("{{" + mark.getKey() + "}}", mark.getValue().toString());
    }
    List<Header> headers = new ArrayList<>(OWN);
    headers.add(HeaderValues.create("Content-Security-Policy", policy(html)));
    return new Asset(name, html.getBytes(StandardCharsets.UTF_8), headers);
  }

  /// An import map can't stand in a file of its own, so the policy allows this one by its hash (CSP
  /// Level 3, section 6.7.3.3).
  private static String policy(String html) {
    String importMaps =
        IMPORT_MAP.matcher(html).results().map(Page::hash).collect(Collectors.joining());
    return "default-src 'none'; script-src 'self'%s; style-src 'self'; connect-src 'self'; img-src 'self'; "
            .formatted(importMaps)
        + "frame-ancestors 'none'; base-uri 'none'; form-action 'none'; "
        + "require-trusted-types-for 'script'; trusted-types 'none'";
  }

  private static String hash(MatchResult importMap) {
    byte[] text = importMap.group(1).getBytes(StandardCharsets.UTF_8);
    return " 'sha256-" + Base64.getEncoder().encodeToString(Asset.sha256(text)) + "'";
  }
}
