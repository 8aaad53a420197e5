package dev.replistream;

import java.util.Collection;
import java.util.Comparator;
import java.util.Locale;
import java.util.Optional;
import java.util.TreeSet;

/// What somebody may have meant who wrote the name of a setting that there is not.
final class Suggestion {
  /// With more mistakes than one in three letters it is another name.
  private static final int LETTERS_FOR_A_MISTAKE = 3;

  private static final int NOT_NEAR = Integer.MAX_VALUE;

  private Suggestion() {}

  /// The end of a message: the nearest of the names, or all of them where none is near.
  ///
  /// @param wrong what was written
  /// @param known all names
  static String of(String wrong, Collection<String> known) {
    return nearest(wrong, known)
        .orElseGet(() -> "; known are " + String.join(", ", new TreeSet<>(known)));
  }

  /// The end of a message that asks for the nearest of the names, where one is near. One is near
  /// too where only what stands before its last dot is wrong, or missing.
  ///
  /// @param wrong what was written
  /// @param known all names
  static Optional<String> nearest(String wrong, Collection<String> known) {
    return new TreeSet<>(known)
        .stream()
            .min(Comparator.comparingInt(name -> distance(wrong, name)))
            .filter(name -> distance(wrong, name) != NOT_NEAR)
            .map(name -> "; did you mean " + name + "?");
  }

  private static int distance(String written, String known) {
    String wrong = dotted(written);
    String name = dotted(known);
    int ofEnds = near(end(wrong), end(name));
    return Math.min(
        Math.min(near(wrong, name), near(wrong, withoutRoot(name))),
        ofEnds == NOT_NEAR ? NOT_NEAR : ofEnds + LETTERS_FOR_A_MISTAKE);
  }

  /// A key or its variable, as if it were a key.
  private static String dotted(String name) {
    return name.toLowerCase(Locale.ROOT).replace('_', '.');
  }

  private static String withoutRoot(String name) {
    return name.substring(name.indexOf('.') + 1);
  }

  private static String end(String name) {
    return name.substring(name.lastIndexOf('.') + 1);
  }

  private static int near(String one, String other) {
    int distance = levenshtein(one, other);
    int most = Math.max(one.length(), other.length()) / LETTERS_FOR_A_MISTAKE;
    return distance <= most ? distance : NOT_NEAR;
  }

  /// How many letters have to be put in, taken out or changed.
  private static int levenshtein(String one, String other) {
    int[] row = new int[other.length() + 1];
    for (int j = 0; j < row.length; j++) {
      row[j] = j;
    }
    for (int i = 1; i <= one.length(); i++) {
      int diagonal = row[0];
      row[0] = i;
      for (int j = 1; j < row.length; j++) {
        int changed = diagonal + (one.charAt(i - 1) == other.charAt(j - 1) ? 0 : 1);
        diagonal = row[j];
        row[j] = Math.min(changed, Math.min(row[j], row[j - 1]) + 1);
      }
    }
    return row[other.length()];
  }
}
