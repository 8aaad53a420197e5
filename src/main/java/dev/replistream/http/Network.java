package dev.replistream.http;

import java.math.BigInteger;
import java.net.InetAddress;
import java.util.regex.Pattern;

/// The addresses that begin with the same bits, as `10.0.0.0/8` (RFC 4632, section 3.1) or
/// `2001:db8::/32` (RFC 4291, section 2.3). Immutable.
///
/// @param address any address of the network
/// @param prefixBits how many bits the addresses have in common
public record Network(InetAddress address, int prefixBits) {
  private static final Pattern PREFIX = Pattern.compile("[0-9]{1,3}");

  /// Reads an address, which is a network of its own, or one with `/` and the length of its prefix.
  /// Names are not looked up.
  ///
  /// @throws IllegalArgumentException when `text` is neither
  public static Network parse(String text) {
    int slash = text.indexOf('/');
    InetAddress address =
        ClientAddresses.literal(slash < 0 ? text : text.substring(0, slash))
            .orElseThrow(IllegalArgumentException::new);
    int bits = address.getAddress().length * Byte.SIZE;
    if (slash < 0) {
      return new Network(address, bits);
    }
    String prefix = text.substring(slash + 1);
    if (!PREFIX.matcher(prefix).matches() || Integer.parseInt(prefix) > bits) {
      throw new IllegalArgumentException();
    }
    return new Network(address, Integer.parseInt(prefix));
  }

  /// Whether `other` is one of this network's addresses.
  public boolean contains(InetAddress other) {
    byte[] mine = address.getAddress();
    byte[] its = other.getAddress();
    return mine.length == its.length && prefix(mine).equals(prefix(its));
  }

  private BigInteger prefix(byte[] bytes) {
    return new BigInteger(1, bytes).shiftRight(bytes.length * Byte.SIZE - prefixBits);
  }

  /// The network as it is written.
  @Override
  public String toString() {
    return address.getHostAddress() + "/" + prefixBits;
  }
}
