package io.clickmesh;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.clickmesh.v1.Adjustment;
import io.clickmesh.v1.Click;
import io.clickmesh.v1.Conversion;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.Verdict;
import java.util.Map;
import java.util.UUID;
import java.util.function.Function;
import java.util.stream.Collectors;

/**
 * Makes events. The builders take native types and know no field that the event does not have:
 *
 * <pre>{@code
 * client.track(Events.click().userId("user-123").adId("ad-456").campaignId("camp-789").source("facebook"));
 * }</pre>
 *
 * An event_id or timestamp that is not set is given when the event is sent, or by {@link #complete}.
 */
public final class Events {
  /** What every type of event has. */
  private record Basics(FieldDescriptor arm, FieldDescriptor eventId, FieldDescriptor timestamp) {
    Basics(FieldDescriptor arm) {
      this(arm, arm.getMessageType().findFieldByName("event_id"), arm.getMessageType().findFieldByName("timestamp"));
    }
  }

  /** By the descriptor, so that whatever type of event the contract has is known. */
  private static final Map<Integer, Basics> BASICS =
      Event.getDescriptor().getOneofs().get(0).getFields().stream()
          .map(Basics::new)
          .collect(Collectors.toUnmodifiableMap(basics -> basics.arm.getNumber(), Function.identity()));

  private Events() {}

  /** A user clicked an ad. */
  public static ClickBuilder click() {
    return new ClickBuilder();
  }

  /** A user did what the advertiser pays for. */
  public static ConversionBuilder conversion() {
    return new ConversionBuilder();
  }

  /** What became of a conversion later; its kind is to be set. */
  public static AdjustmentBuilder adjustment() {
    return new AdjustmentBuilder();
  }

  /** Takes its value back from a conversion's. */
  public static AdjustmentBuilder refund() {
    return adjustment().kind("refund");
  }

  /** Puts its value in the place of a conversion's. */
  public static AdjustmentBuilder restate() {
    return adjustment().kind("restate");
  }

  /** Makes a conversion not have happened. It has no value. */
  public static AdjustmentBuilder retract() {
    return adjustment().kind("retract");
  }

  /** What a click turned out to be; whether it is valid is to be set. */
  public static VerdictBuilder verdict() {
    return new VerdictBuilder();
  }

  /** A click is not to count, because it is a bot's or the like. */
  public static VerdictBuilder invalidate() {
    return verdict().valid(false);
  }

  /** The event of a click. */
  public static Event of(Click click) {
    return Event.newBuilder().setClick(click).build();
  }

  /** The event of a conversion. */
  public static Event of(Conversion conversion) {
    return Event.newBuilder().setConversion(conversion).build();
  }

  /** The event of an adjustment. */
  public static Event of(Adjustment adjustment) {
    return Event.newBuilder().setAdjustment(adjustment).build();
  }

  /** The event of a verdict. */
  public static Event of(Verdict verdict) {
    return Event.newBuilder().setVerdict(verdict).build();
  }

  /**
   * Returns the event with an event_id (a random UUID) and a timestamp (now), where it has none. Sent twice, by whatever
   * call, what this returns is one event.
   */
  public static Event complete(Event event) {
    Basics basics = basics(event);
    if (basics == null) return event;
    Message message = (Message) event.getField(basics.arm);
    boolean hasId = !message.getField(basics.eventId).equals("");
    boolean hasTime = (long) message.getField(basics.timestamp) != 0;
    if (hasId && hasTime) return event;
    Message.Builder fields = message.toBuilder();
    if (!hasId) fields.setField(basics.eventId, UUID.randomUUID().toString());
    if (!hasTime) fields.setField(basics.timestamp, System.currentTimeMillis());
    return event.toBuilder().setField(basics.arm, fields.build()).build();
  }

  /** As {@link #complete(Event)}. */
  public static Event complete(EventBuilder<?> event) {
    return complete(event.build());
  }

  /** Empty if there is no event. */
  static String eventId(Event event) {
    Basics basics = basics(event);
    return basics == null ? "" : (String) ((Message) event.getField(basics.arm)).getField(basics.eventId);
  }

  /** In ms since 1970-01-01 UTC; 0 if there is no event. */
  static long timestamp(Event event) {
    Basics basics = basics(event);
    return basics == null ? 0 : (long) ((Message) event.getField(basics.arm)).getField(basics.timestamp);
  }

  /** The field that holds what happened; null if nothing that this client knows. */
  static FieldDescriptor arm(Event event) {
    Basics basics = basics(event);
    return basics == null ? null : basics.arm;
  }

  private static Basics basics(Event event) {
    return event == null ? null : BASICS.get(event.getEventCase().getNumber());
  }
}
