package io.clickmesh;

import io.clickmesh.v1.Click;
import io.clickmesh.v1.Event;
import java.util.Map;

/** A user clicked an ad. Made by {@link Events#click()}. */
public final class ClickBuilder extends EventBuilder<ClickBuilder> {
  private final Click.Builder click = Click.newBuilder();

  ClickBuilder() {}

  /** The ad clicked. Required. */
  public ClickBuilder adId(String value) {
    return set("ad_id", value);
  }

  /** The campaign that the ad belongs to. Required. */
  public ClickBuilder campaignId(String value) {
    return set("campaign_id", value);
  }

  /** Where the ad was shown, such as "facebook". Required. */
  public ClickBuilder source(String value) {
    return set("source", value);
  }

  /**
   * Free context such as browser or geo: text, numbers and booleans. Null is left out; anything else
   * is, too, and is named in what the acceptance says was ignored.
   */
  public ClickBuilder metadata(String key, Object value) {
    if (key != null && value != null) click.putMetadata(key, metadataText(value));
    return this;
  }

  /** As {@link #metadata(String, Object)}, for each entry. */
  public ClickBuilder metadata(Map<String, ?> entries) {
    entries.forEach(this::metadata);
    return this;
  }

  @Override
  public Event build() {
    return Events.of(click.build());
  }

  @Override
  Click.Builder fields() {
    return click;
  }
}
