package io.clickmesh;

import io.clickmesh.v1.Conversion;
import io.clickmesh.v1.Event;
import java.math.BigDecimal;
import java.util.Map;

/** A user did what the advertiser pays for. Made by {@link Events#conversion()}. */
public final class ConversionBuilder extends EventBuilder<ConversionBuilder> {
  private final Conversion.Builder conversion = Conversion.newBuilder();

  ConversionBuilder() {}

  /** What was done, such as "purchase" or "signup". Required. */
  public ConversionBuilder type(String value) {
    return set("type", value);
  }

  /** Where it was reported from, such as "ios_app". Required. */
  public ConversionBuilder source(String value) {
    return set("source", value);
  }

  /** Its value in units of the currency, rounded to micros: in [0, 1e12]. */
  public ConversionBuilder value(double value) {
    return setValue(value);
  }

  /** Its value in units of the currency, exact to the micro. */
  public ConversionBuilder value(BigDecimal value) {
    return setValue(value);
  }

  /** Its value in units of the currency, as digits such as "19.99", exact to the micro. */
  public ConversionBuilder value(String value) {
    return setValue(value);
  }

  /** Its value in micros: 1,000,000 are one unit. */
  public ConversionBuilder valueMicros(long value) {
    return set("value_micros", value);
  }

  /** Code (ISO 4217) of the currency that the value is in. */
  public ConversionBuilder currency(String value) {
    return set("currency", value);
  }

  /**
   * Free context: text, numbers and booleans. Null is left out; anything else
   * is, too, and is named in what the acceptance says was ignored.
   */
  public ConversionBuilder metadata(String key, Object value) {
    if (key != null && value != null) conversion.putMetadata(key, metadataText(value));
    return this;
  }

  /** As {@link #metadata(String, Object)}, for each entry. */
  public ConversionBuilder metadata(Map<String, ?> entries) {
    entries.forEach(this::metadata);
    return this;
  }

  @Override
  public Event build() {
    return Events.of(conversion.build());
  }

  @Override
  Conversion.Builder fields() {
    return conversion;
  }
}
