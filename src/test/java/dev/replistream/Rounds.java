package dev.replistream;

/// How far a test goes that could go on for as long as one likes: `etc/test --long` lets it go all
/// the way, every other run a part of it.
public final class Rounds {
  private static final boolean LONG = Boolean.getBoolean("long");

  private Rounds() {}

  /// `some` in every run, `all` in a long one.
  public static int of(int some, int all) {
    return LONG ? all : some;
  }
}
