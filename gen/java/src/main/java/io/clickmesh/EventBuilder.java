package io.clickmesh;

import com.google.protobuf.Message;
import io.clickmesh.v1.Event;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.time.Instant;
import java.util.Date;
import java.util.UUID;
import java.util.regex.Pattern;

/**
 * What the builders of all types of events have. Null means absent. A builder checks nothing: what is wrong with the
 * event is told by the call that it is given to.
 *
 * @param <B> the builder itself
 */
public abstract sealed class EventBuilder<B extends EventBuilder<B>>
    permits ClickBuilder, ConversionBuilder, AdjustmentBuilder, VerdictBuilder {
  private static final BigDecimal MAX_MICROS = BigDecimal.valueOf(Long.MAX_VALUE);
  private static final Pattern DECIMAL =
      Pattern.compile("[+-]?(\\d{1,40}(\\.\\d{0,40})?|\\.\\d{1,40})([eE][+-]?\\d{1,3})?");
  private static final int MICROS_DIGITS = 6;

  /** What the event is known by: any text of 1 to 128 bytes. A second event of the user with it is a duplicate. */
  public B eventId(String value) {
    return set("event_id", value);
  }

  /** A UUID that the event is known by. */
  public B eventId(UUID value) {
    return set("event_id", value == null ? null : value.toString());
  }

  /** Who it was. */
  public B userId(String value) {
    return set("user_id", value);
  }

  /** When it happened, in milliseconds since 1970-01-01 UTC. */
  public B timestamp(long ms) {
    return set("timestamp", ms);
  }

  /** When it happened; finer than milliseconds is cut off. */
  public B timestamp(Instant value) {
    return set("timestamp", value == null ? null : toMillis(value));
  }

  /** When it happened. */
  public B timestamp(Date value) {
    return set("timestamp", value == null ? null : value.getTime());
  }

  /** The event as it was set up to now. */
  public abstract Event build();

  /** The message of this type. */
  abstract Message.Builder fields();

  /** Sets a field by its name in the contract; null clears it. */
  B set(String name, Object value) {
    Message.Builder fields = fields();
    var field = fields.getDescriptorForType().findFieldByName(name);
    if (value == null) fields.clearField(field);
    else fields.setField(field, value);
    @SuppressWarnings("unchecked")
    B self = (B) this;
    return self;
  }

  /** Sets the value in units, and clears that in micros. */
  B setValue(Double value) {
    set("value_micros", null);
    return set("value", value);
  }

  /** Sets the value in micros, rounded to nearest, the middle up. What does not fit is left to be told out of range. */
  B setValue(BigDecimal value) {
    if (value == null) return setValue((Double) null);
    BigDecimal micros = value.movePointRight(MICROS_DIGITS).setScale(0, RoundingMode.HALF_UP);
    if (micros.signum() < 0 || micros.compareTo(MAX_MICROS) > 0) return setValue(value.doubleValue());
    set("value", null);
    return set("value_micros", micros.longValueExact());
  }

  /** Sets the value by its decimal digits; any other text is left to be told no number. */
  B setValue(String value) {
    if (value == null) return setValue((Double) null);
    return DECIMAL.matcher(value).matches() ? setValue(new BigDecimal(value)) : setValue(EventCheck.NO_NUMBER);
  }

  /** The text of an entry of metadata; of what has none that which is left out, and named, by the check. */
  static String metadataText(Object value) {
    boolean hasText =
        value instanceof CharSequence
            || value instanceof Number
            || value instanceof Boolean
            || value instanceof Character
            || value instanceof Enum
            || value instanceof UUID;
    return hasText ? value.toString() : EventCheck.NO_TEXT;
  }

  private static long toMillis(Instant time) {
    try {
      return time.toEpochMilli();
    } catch (ArithmeticException tooFar) {
      return time.isAfter(Instant.EPOCH) ? Long.MAX_VALUE : Long.MIN_VALUE;
    }
  }
}
