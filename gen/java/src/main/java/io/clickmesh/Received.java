package io.clickmesh;

import java.math.BigDecimal;
import java.time.Instant;
import java.time.ZoneOffset;
import java.time.ZonedDateTime;

/** What a field held, as the gateway's answers repeat it: as JSON, cut. */
final class Received {
  private static final int MAX_CUT = 64;
  /** Latest time that JavaScript has, in ms. */
  private static final double MAX_DATE_MS = 8.64e15;

  private Received() {}

  /** Of a text or a number; empty for what is absent, empty or 0. */
  static String text(Object value) {
    if (value instanceof String text) {
      return text.isEmpty() ? "" : cut(json(text.substring(0, Math.min(text.length(), MAX_CUT))));
    }
    if (value instanceof Long integer) return integer == 0 ? "" : integer.toString();
    if (value instanceof Double number) {
      if (Double.doubleToRawLongBits(number) == Double.doubleToRawLongBits(EventCheck.NO_NUMBER)) return "";
      return number == 0 ? "" : number(number);
    }
    return "";
  }

  static String cut(String text) {
    return text.length() <= MAX_CUT ? wellFormed(text) : wellFormed(text.substring(0, MAX_CUT - 1)) + "…";
  }

  /** With U+FFFD in place of each half of a surrogate pair. */
  static String wellFormed(String text) {
    StringBuilder whole = new StringBuilder(text.length());
    text.codePoints().map(point -> isHalf(point) ? 0xfffd : point).forEach(whole::appendCodePoint);
    return whole.toString();
  }

  private static boolean isHalf(int point) {
    return point >= Character.MIN_SURROGATE && point <= Character.MAX_SURROGATE;
  }

  static String json(String text) {
    StringBuilder json = new StringBuilder("\"");
    text.codePoints()
        .forEach(
            point -> {
              int escape = "\b\t\n\f\r\"\\".indexOf(point);
              if (escape >= 0) json.append('\\').append("btnfr\"\\".charAt(escape));
              else if (point < ' ' || isHalf(point)) json.append("\\u%04x".formatted(point));
              else json.appendCodePoint(point);
            });
    return json.append('"').toString();
  }

  /** As JavaScript writes it. */
  static String number(double value) {
    if (!Double.isFinite(value)) return Double.toString(value);
    BigDecimal digits = new BigDecimal(Double.toString(value)).stripTrailingZeros();
    int exponent = digits.precision() - digits.scale() - 1;
    if (exponent > -7 && exponent < 21) return digits.toPlainString();
    String mantissa = digits.movePointLeft(exponent).stripTrailingZeros().toPlainString();
    return mantissa + (exponent < 0 ? "e" : "e+") + exponent;
  }

  /** Such as 2026-11-27T10:00:00.123Z. */
  static String date(long ms) {
    ZonedDateTime time = Instant.ofEpochMilli(ms).atZone(ZoneOffset.UTC);
    String year = time.getYear() >= 0 && time.getYear() <= 9999 ? "%04d" : "%+07d";
    return (year + "-%02d-%02dT%02d:%02d:%02d.%03dZ")
        .formatted(
            time.getYear(),
            time.getMonthValue(),
            time.getDayOfMonth(),
            time.getHour(),
            time.getMinute(),
            time.getSecond(),
            time.getNano() / 1_000_000);
  }

  /** What a time out of range looks like, and what to do. All in ms. */
  static String lookOf(double time, double min, double max) {
    if (isBetween(time * 1000, min, max)) return "looks like seconds, multiply by 1,000";
    if (isBetween(time / 1000, min, max)) return "looks like microseconds, divide by 1,000";
    if (isBetween(time / 1e6, min, max)) return "looks like nanoseconds, divide by 1,000,000";
    String date = Math.abs(time) > MAX_DATE_MS ? "" : "is " + date((long) time) + ", ";
    return date + (time > max ? "in the future: check the clock of the sender" : "too early: check its unit");
  }

  private static boolean isBetween(double value, double min, double max) {
    return value >= min && value <= max;
  }
}
