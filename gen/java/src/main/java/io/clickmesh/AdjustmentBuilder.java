package io.clickmesh;

import io.clickmesh.v1.Adjustment;
import io.clickmesh.v1.Event;
import java.math.BigDecimal;

/**
 * What became of a conversion later. Made by {@link Events#refund()}, {@link Events#restate()}, {@link
 * Events#retract()}, {@link Events#adjustment()}. Its userId is that of the conversion.
 */
public final class AdjustmentBuilder extends EventBuilder<AdjustmentBuilder> {
  private final Adjustment.Builder adjustment = Adjustment.newBuilder();

  AdjustmentBuilder() {}

  /** The event_id of the conversion, as it was sent. Required. */
  public AdjustmentBuilder conversionId(String value) {
    return set("conversion_id", value);
  }

  /** What it does: "refund", "restate" or "retract". Required. */
  public AdjustmentBuilder kind(String value) {
    return set("kind", value);
  }

  /** The value in units of the currency, rounded to micros: in [0, 1e12]. */
  public AdjustmentBuilder value(double value) {
    return setValue(value);
  }

  /** The value in units of the currency, exact to the micro. */
  public AdjustmentBuilder value(BigDecimal value) {
    return setValue(value);
  }

  /** The value in units of the currency, as digits such as "19.99", exact to the micro. */
  public AdjustmentBuilder value(String value) {
    return setValue(value);
  }

  /** The value in micros: 1,000,000 are one unit. */
  public AdjustmentBuilder valueMicros(long value) {
    return set("value_micros", value);
  }

  /** Why, for people, such as "damaged". */
  public AdjustmentBuilder reason(String value) {
    return set("reason", value);
  }

  /** Code (ISO 4217) of the currency that the value is in. */
  public AdjustmentBuilder currency(String value) {
    return set("currency", value);
  }

  @Override
  public Event build() {
    return Events.of(adjustment.build());
  }

  @Override
  Adjustment.Builder fields() {
    return adjustment;
  }
}
