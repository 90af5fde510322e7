package io.clickmesh;

import java.nio.charset.StandardCharsets;
import java.security.MessageDigest;
import java.security.NoSuchAlgorithmException;
import java.util.HexFormat;
import java.util.Locale;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/** The UUID that the mesh has for an event_id (services/contract/event-id.ts). */
final class StoredId {
  private static final byte[] NAMESPACE = HexFormat.of().parseHex("25398fb834225e948f3f243876f82bf9");
  private static final Pattern SPELLING =
      Pattern.compile(
          "(?:urn:uuid:)?(\\{?)([0-9a-f]{8})(-?)([0-9a-f]{4})\\3([0-9a-f]{4})\\3([0-9a-f]{4})\\3([0-9a-f]{12})(\\}?)",
          Pattern.CASE_INSENSITIVE);

  private StoredId() {}

  static String of(String id) {
    Matcher spelled = SPELLING.matcher(id);
    if (spelled.matches() && spelled.group(1).isEmpty() == spelled.group(8).isEmpty()) {
      String digits = spelled.group(2) + spelled.group(4) + spelled.group(5) + spelled.group(6) + spelled.group(7);
      return dashed(digits.toLowerCase(Locale.ROOT));
    }
    byte[] hash = sha1(id);
    hash[6] = (byte) (hash[6] & 0x0f | 0x50);
    hash[8] = (byte) (hash[8] & 0x3f | 0x80);
    return dashed(HexFormat.of().formatHex(hash, 0, 16));
  }

  private static String dashed(String digits) {
    return digits.replaceFirst("(.{8})(.{4})(.{4})(.{4})", "$1-$2-$3-$4-");
  }

  private static byte[] sha1(String id) {
    try {
      MessageDigest digest = MessageDigest.getInstance("SHA-1");
      digest.update(NAMESPACE);
      return digest.digest(id.getBytes(StandardCharsets.UTF_8));
    } catch (NoSuchAlgorithmException everyJavaHasIt) {
      throw new AssertionError(everyJavaHasIt);
    }
  }
}
