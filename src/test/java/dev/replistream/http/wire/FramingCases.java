package dev.replistream.http.wire;

import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.params.provider.Arguments;

/// The ends of requests: a name, fields of the head, and a body. Stateless.
final class FramingCases {
  private static final String CHUNKED = "Transfer-Encoding: chunked\r\n";
  private static final String LAST = "0\r\n\r\n";

  private FramingCases() {}

  /// Fields of the head and a body that are a request's length and nothing to argue about.
  static Stream<Arguments> good() {
    List<Arguments> cases = new ArrayList<>();
    for (String coding : List.of("chunked", "Chunked", "CHUNKED", " chunked", "\tchunked \t")) {
      cases.add(
          sized(
              "coding " + coding, "Transfer-Encoding:" + coding + "\r\n", "2\r\n{}\r\n0\r\n\r\n"));
    }
    cases.add(sized("name in capitals", "TRANSFER-ENCODING: chunked\r\n", "2\r\n{}\r\n0\r\n\r\n"));
    cases.add(sized("no body", "", ""));
    cases.add(sized("length", "Content-Length: 2\r\n", "{}"));
    cases.add(sized("length 0", "Content-Length: 0\r\n", ""));
    cases.add(sized("length with zeros", "Content-Length: 002\r\n", "{}"));
    cases.add(sized("length with spaces", "Content-Length: \t2 \r\n", "{}"));
    for (String size : List.of("2", "02", "00000002", "0".repeat(255) + "2")) {
      cases.add(chunks("size " + size, size + "\r\n{}\r\n" + LAST));
    }
    cases.add(chunks("hexadecimal", "a\r\n{        }\r\nA\r\n          \r\n" + LAST));
    cases.add(chunks("two digits", "1b\r\n" + "{" + " ".repeat(25) + "}" + "\r\n" + LAST));
    cases.add(chunks("one byte a chunk", "1\r\n{\r\n1\r\n}\r\n" + LAST));
    cases.add(chunks("1,000 chunks", "1\r\n \r\n".repeat(1_000) + "2\r\n{}\r\n" + LAST));
    cases.add(chunks("only the last chunk", LAST));
    cases.add(chunks("last chunk with zeros", "2\r\n{}\r\n0000\r\n\r\n"));
    cases.add(chunks("CRLF as data", "4\r\n{\r\n}\r\n" + LAST));
    for (String extension :
        List.of(
            ";a",
            ";a=b",
            ";a=\"b c\"",
            ";a=b;c=d",
            ";a=\"\\\"\"",
            "; a = b",
            " ;a",
            " ; a=b",
            "\t;\ta\t=\tb",
            " \t ;",
            "; a ; b",
            " ".repeat(200) + ";a",
            ";",
            ";\t",
            ";=",
            ";\u00e9",
            ";" + "x".repeat(254),
            ";chunk-signature=" + "0".repeat(64))) {
      cases.add(chunks("extension " + extension, "2" + extension + "\r\n{}\r\n" + LAST));
      cases.add(
          chunks("extension of the last " + extension, "2\r\n{}\r\n0" + extension + "\r\n\r\n"));
    }
    for (String trailers :
        List.of(
            "X-Sum: 1\r\n",
            "X-Sum:\r\n",
            "X-Sum:1\t \r\n",
            "A: 1\r\nB: 2\r\n",
            "Content-Length: 100\r\n",
            "Transfer-Encoding: chunked\r\n",
            "Host: elsewhere\r\n",
            "Connection: close\r\n",
            "A: \u00e9\r\n",
            "A: " + "b".repeat(253) + "\r\n",
            "A: b\r\n".repeat(32))) {
      cases.add(chunks("trailer " + trailers, "2\r\n{}\r\n0\r\n" + trailers + "\r\n"));
    }
    cases.add(
        chunks(
            "signed chunks",
            ("400;chunk-signature=" + "f".repeat(64) + "\r\n" + " ".repeat(1024) + "\r\n")
                    .repeat(20)
                + "2\r\n{}\r\n"
                + LAST));
    return cases.stream();
  }

  /// The head's part of what must be refused, before anything of the body is looked at.
  static Stream<Arguments> badHeads() {
    List<Arguments> cases = new ArrayList<>();
    for (String length :
        List.of(
            "-1",
            "+2",
            "0x2",
            "2 2",
            "2,2",
            "2, 2",
            "2;",
            "2.0",
            "2e0",
            "\"2\"",
            "",
            "1_0",
            "0b1",
            "18446744073709551618",
            "9".repeat(40),
            "\u00b2")) {
      cases.add(sized("length " + length, "Content-Length: " + length + "\r\n", "{}"));
    }
    cases.add(sized("two lengths", "Content-Length: 2\r\nContent-Length: 0\r\n", "{}"));
    cases.add(sized("the same length twice", "Content-Length: 2\r\nContent-Length: 2\r\n", "{}"));
    cases.add(sized("lengths in two cases", "content-length: 2\r\nCONTENT-LENGTH: 3\r\n", "{}"));
    for (String coding :
        List.of(
            "gzip",
            "gzip, chunked",
            "chunked, gzip",
            "chunked, chunked",
            "chunked,chunked",
            "",
            ",chunked",
            "chunked,",
            "identity",
            "identity, chunked",
            "xchunked",
            "chunke",
            "chunkedx",
            "chunked;q=1",
            "chunked chunked",
            "\"chunked\"",
            "chun ked",
            "chunked\u000b",
            "\u000bchunked",
            "chunked\0",
            "chunked\u00a0",
            "\u212aunked",
            "cow")) {
      cases.add(
          sized("coding " + coding, "Transfer-Encoding: " + coding + "\r\n", "2\r\n{}\r\n" + LAST));
    }
    cases.add(sized("two codings", CHUNKED + CHUNKED, "2\r\n{}\r\n" + LAST));
    cases.add(
        sized(
            "a coding beside another", CHUNKED + "Transfer-Encoding: x\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(sized("a length and a coding", "Content-Length: 5\r\n" + CHUNKED, LAST));
    cases.add(
        sized("a coding and a length", CHUNKED + "Content-Length: 0\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(
        sized("a space before the colon", "Transfer-Encoding : chunked\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(sized("a tab before the colon", "Content-Length\t: 2\r\n", "{}"));
    cases.add(sized("a folded coding", "Transfer-Encoding:\r\n chunked\r\n", "2\r\n{}\r\n" + LAST));
    cases.add(sized("a folded field", "A: b\r\n c: d\r\n", ""));
    cases.add(sized("a folded first field", " A: b\r\n", ""));
    cases.add(sized("a bare LF behind a field", "A: b\nTransfer-Encoding: chunked\r\n", LAST));
    cases.add(sized("a bare CR within a field", "A: b\rTransfer-Encoding: chunked\r\n", LAST));
    cases.add(sized("NUL in a name", "Transfer-Encoding\0: chunked\r\n", LAST));
    cases.add(sized("a control character in a name", "Content-Length\u0001: 2\r\n", "{}"));
    cases.add(sized("no name", ": a\r\n", ""));
    cases.add(sized("no colon", "A\r\n", ""));
    cases.add(
        sized("an underscore is none of ours", "Content_Length: 2\r\nContent-Length: x\r\n", "{}"));
    return cases.stream();
  }

  /// Chunks that must be refused.
  static Stream<Arguments> badChunks() {
    List<Arguments> cases = new ArrayList<>();
    for (String size :
        List.of(
            "+2",
            "-2",
            " 2",
            "2 ",
            "\t2",
            "2\t",
            "0x2",
            "0X2",
            "2h",
            "g",
            "2_0",
            "2.",
            "",
            "\u0662",
            "2,",
            "\"2\"",
            "2\0",
            "2\u000b",
            "2\u00a0",
            "2 2;a",
            "2 a;b",
            "2  ",
            "2 \t",
            "2 \u000b;a",
            "2 \u00a0;a",
            "2 =",
            " 2 ;a",
            "2" + " ".repeat(256) + ";a",
            "2\r",
            "2:",
            "80000000",
            "ffffffff",
            "100000002",
            "10000000000000002",
            "ffffffffffffffff",
            "f".repeat(256),
            "=2",
            "2=;",
            "0".repeat(256) + "2",
            "2;" + "x".repeat(255))) {
      cases.add(chunks("size " + size, size + "\r\n{}\r\n" + LAST));
    }
    for (String end :
        List.of("\n", "\r", "", "\n\r", "\r\r\n", " \r\n", "XX", "\r\n\r\n", ";\r\n", "\0\0")) {
      cases.add(chunks("end of data " + end, "2\r\n{}" + end + LAST));
    }
    for (String end :
        List.of(
            "\n",
            "\r",
            "\n\r",
            "\r\r\n",
            ";a\n",
            ";a\r",
            ";a\0\r\n",
            ";a\u0001\r\n",
            ";\u007f\r\n")) {
      cases.add(chunks("end of a size " + end, "2" + end + "{}\r\n" + LAST));
    }
    for (String size : List.of("+0", "-0", "0x0", " 0", "0 ", "0 \t", "00x", "0\n", "0\r")) {
      cases.add(chunks("last size " + size, "2\r\n{}\r\n" + size + "\r\n\r\n"));
    }
    for (String trailer :
        List.of(
            "X",
            "X\r\n",
            ": 1\r\n",
            "X : 1\r\n",
            " X: 1\r\n",
            "X: 1\n",
            "X: 1\r",
            "X: \0\r\n",
            "X: \u0001\r\n",
            "X\u00e9: 1\r\n",
            "A: b\r\n c\r\n",
            "GET / HTTP/1.1\r\n",
            "X: " + "y".repeat(254) + "\r\n",
            "A: b\r\n".repeat(33),
            ("A: " + "b".repeat(200) + "\r\n").repeat(21),
            "A(: 1\r\n",
            "\t\r\n",
            " \r\n",
            "\n")) {
      cases.add(chunks("trailer " + trailer, "2\r\n{}\r\n0\r\n" + trailer + "\r\n"));
    }
    cases.add(
        chunks(
            "more framing than data",
            ("1;" + "x".repeat(250) + "\r\n \r\n").repeat(100) + "2\r\n{}\r\n" + LAST));
    cases.add(chunks("no chunk at all", "{}"));
    cases.add(chunks("no size", "\r\n{}\r\n" + LAST));
    cases.add(chunks("digits for ever", "1".repeat(100_000)));
    cases.add(chunks("zeros for ever", "0".repeat(100_000)));
    cases.add(chunks("an extension for ever", "2;" + "x".repeat(100_000)));
    cases.add(chunks("a trailer for ever", "2\r\n{}\r\n0\r\nA: " + "x".repeat(100_000)));
    cases.add(chunks("trailers for ever", "2\r\n{}\r\n0\r\n" + "A: x\r\n".repeat(20_000)));
    return cases.stream();
  }

  private static Arguments sized(String name, String fields, String body) {
    String shown = name.length() > 60 ? name.substring(0, 60) + "…" : name;
    return Arguments.of(
        shown.replace("\r", "␍").replace("\n", "␊").replace("\0", "␀"), fields, body);
  }

  private static Arguments chunks(String name, String body) {
    return sized(name, CHUNKED, body);
  }
}
