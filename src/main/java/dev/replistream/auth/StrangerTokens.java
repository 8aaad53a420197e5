package dev.replistream.auth;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import dev.replistream.http.ClientAddresses;
import dev.replistream.http.RateLimit;
import dev.replistream.http.TokenBuckets;
import io.helidon.metrics.api.Counter;
import io.helidon.metrics.api.MeterRegistry;
import java.net.InetAddress;

/// How many signatures of strangers are looked at: to verify one takes up to some milliseconds of
/// CPU, and anybody can send any number of forged tokens. An address that has sent too many of them
/// is refused before the arithmetic.
///
/// Honest people share addresses with others, behind a router or a proxy. So
///
/// - a token that was verified before never comes here, and a good one costs nothing;
/// - forged tokens for one user, as a broken client sends them, use up a tenth of the address, and
///   then stand in the way of that user alone;
/// - forged tokens for made-up users use up what an address has for users that nobody has seen
///   here, and those who were here before come in with a new token all the same.
///
/// Thread-safe. It remembers 20,000 addresses and 10,000 users.
public final class StrangerTokens {
  private static final int MAX_KNOWN_USERS = 10_000;
  private static final int SHARE = 10;

  private final TokenBuckets ofUnknownUsers;
  private final TokenBuckets ofKnownUsers;
  private final TokenBuckets ofOneUser;
  private final Counter refused;
  private final Cache<String, Boolean> knownUsers =
      Caffeine.newBuilder().maximumSize(MAX_KNOWN_USERS).executor(Runnable::run).build();

  private record Claim(InetAddress address, String userId) {}

  /// @param perSecond how many tokens of an address that don't verify are looked at in a second; 0
  ///   for any number
  public StrangerTokens(int perSecond, MeterRegistry meters) {
    this.ofUnknownUsers = new TokenBuckets(perSecond);
    this.ofKnownUsers = new TokenBuckets(perSecond);
    this.ofOneUser = new TokenBuckets((perSecond + SHARE - 1) / SHARE);
    this.refused = RateLimit.refused(meters, "refused-tokens");
  }

  /// What is to be asked before the signature of a token from `address` is looked at, and told
  /// afterwards.
  TokenVerifier.Gate from(InetAddress address) {
    InetAddress counted = ClientAddresses.counted(address);
    return new TokenVerifier.Gate() {
      @Override
      public void before(String userId) {
        requireSome(counted, userId);
      }

      @Override
      public void after(String userId, boolean isGood) {
        if (isGood) {
          knownUsers.put(userId, true);
        } else {
          ofOneUser.spend(new Claim(counted, userId), 1);
          ofAddress(userId).spend(counted, 1);
        }
      }
    };
  }

  private void requireSome(InetAddress address, String userId) {
    long waitNanos =
        Math.max(
            ofOneUser.untilNext(new Claim(address, userId)), ofAddress(userId).untilNext(address));
    if (waitNanos > 0) {
      refused.increment();
      throw TokenRefusedException.tooMany(waitNanos);
    }
  }

  private TokenBuckets ofAddress(String userId) {
    return knownUsers.getIfPresent(userId) == null ? ofUnknownUsers : ofKnownUsers;
  }
}
