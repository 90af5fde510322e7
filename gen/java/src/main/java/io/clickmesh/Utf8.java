package io.clickmesh;

/** What a text is in UTF-8. */
final class Utf8 {
  private Utf8() {}

  /** Bytes that the text takes; -1 if it has NUL or half of a surrogate pair, which never goes out unchanged. */
  static int size(String text) {
    int bytes = 0;
    for (int i = 0; i < text.length(); i++) {
      char c = text.charAt(i);
      if (c < 0x80) {
        if (c == 0) return -1;
        bytes++;
      } else if (c < 0x800) bytes += 2;
      else if (!Character.isSurrogate(c)) bytes += 3;
      else if (Character.isHighSurrogate(c) && i + 1 < text.length() && Character.isLowSurrogate(text.charAt(i + 1))) {
        bytes += 4;
        i++;
      } else return -1;
    }
    return bytes;
  }
}
