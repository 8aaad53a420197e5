package dev.replistream.stream;

/// Looks at text byte by byte and says where it stops being UTF-8 (RFC 3629, section 4). Confined
/// to one thread at a time.
final class Utf8Check {
  // how many bytes of a character are to come, and between what the next one has to be
  private int missing;
  private int least;
  private int most;

  /// Whether the text may go on with `octet`, 0 to 255. After a no it is of no use any more.
  boolean accepts(int octet) {
    return missing == 0 ? begins(octet) : goesOn(octet);
  }

  private boolean begins(int octet) {
    least = 0x80;
    most = 0xbf;
    if (octet >= 0xc2 && octet <= 0xdf) {
      missing = 1;
    } else if (octet >= 0xe0 && octet <= 0xef) {
      missing = 2;
      least = octet == 0xe0 ? 0xa0 : least; // else there is a shorter form
      most = octet == 0xed ? 0x9f : most; // else it is a surrogate
    } else if (octet >= 0xf0 && octet <= 0xf4) {
      missing = 3;
      least = octet == 0xf0 ? 0x90 : least;
      most = octet == 0xf4 ? 0x8f : most; // else it is beyond U+10FFFF
    }
    return missing > 0 || octet < 0x80;
  }

  private boolean goesOn(int octet) {
    boolean isIn = octet >= least && octet <= most;
    missing--;
    least = 0x80;
    most = 0xbf;
    return isIn;
  }

  /// Whether the text may end here.
  boolean isWhole() {
    return missing == 0;
  }
}
