package io.clickmesh;

import java.time.DateTimeException;
import java.time.Duration;
import java.time.Instant;
import java.time.ZonedDateTime;
import java.time.format.DateTimeFormatter;

/** The header retry-after: seconds, or a date as HTTP has it. */
final class RetryAfter {
  private RetryAfter() {}

  /** In ms, at least 1 where it is given; 0 if it is not, or can't be read. */
  static long ms(String header) {
    if (header == null) return 0;
    if (header.matches("\\d{1,9}")) return Math.max(1, Long.parseLong(header) * 1000);
    try {
      Instant time = ZonedDateTime.parse(header, DateTimeFormatter.RFC_1123_DATE_TIME).toInstant();
      return Math.max(1, Duration.between(Instant.now(), time).toMillis());
    } catch (DateTimeException unreadable) {
      return 0;
    }
  }
}
