package io.clickmesh;

import java.util.Set;
import java.util.regex.Pattern;

/** Ids that are nobody's: what programs write where there is none, and blanks. */
final class Nobody {
  private static final String ALWAYS_SUSPECT = "$%(<[{";
  /** The first two characters of the other texts of nobody, and of a UUID's. */
  private static final Set<String> SUSPECT = Set.of("un", "ur", "UR", "nu", "ni", "na", "NU", "Nu", "Na", "No", "NI", "00");

  private Nobody() {}

  /** Whether the id would make strangers one user. An empty one is absent, which is no matter of this. */
  static boolean is(String id) {
    if (id.isEmpty()) return false;
    char first = id.charAt(0);
    boolean isSuspect = first <= ' ' || first >= 0x7f || ALWAYS_SUSPECT.indexOf(first) >= 0;
    if (!isSuspect && (id.length() == 1 || !SUSPECT.contains(id.substring(0, 2)))) return false;
    for (Pattern pattern : EventRules.NOBODY) if (pattern.matcher(id).matches()) return true;
    return id.codePoints().allMatch(Nobody::isBlank);
  }

  private static boolean isBlank(int point) {
    for (int[] range : EventRules.BLANKS) if (point >= range[0] && point <= range[1]) return true;
    return false;
  }
}
