package io.clickmesh;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.clickmesh.v1.Adjustment;
import io.clickmesh.v1.Click;
import io.clickmesh.v1.Conversion;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.Verdict;
import java.util.ArrayList;
import java.util.List;
import java.util.UUID;

/** Makes events, and prepares them for sending. */
public final class Events {
  // What the gateway takes in one call is 1000 events and 1 MiB; a little less leaves room for what surrounds them.
  static final int MAX_BATCH_EVENTS = 1000;
  static final int MAX_BATCH_BYTES = 1_000_000;
  /** Tag and length in front of an event. */
  private static final int EVENT_OVERHEAD = 5;

  private Events() {}

  public static Event of(Click click) {
    return Event.newBuilder().setClick(click).build();
  }

  public static Event of(Conversion conversion) {
    return Event.newBuilder().setConversion(conversion).build();
  }

  public static Event of(Adjustment adjustment) {
    return Event.newBuilder().setAdjustment(adjustment).build();
  }

  public static Event of(Verdict verdict) {
    return Event.newBuilder().setVerdict(verdict).build();
  }

  /**
   * The event with an id and a time, so that every attempt to send it has the same. It goes by the descriptor, so that
   * it knows every type of event that the contract has.
   */
  static Event complete(Event event) {
    FieldDescriptor arm = event.getOneofFieldDescriptor(Event.getDescriptor().getOneofs().get(0));
    if (arm == null) return event;
    Message.Builder fields = ((Message) event.getField(arm)).toBuilder();
    FieldDescriptor id = arm.getMessageType().findFieldByName("event_id");
    if (id != null && fields.getField(id).equals("")) fields.setField(id, UUID.randomUUID().toString());
    FieldDescriptor timestamp = arm.getMessageType().findFieldByName("timestamp");
    if (timestamp != null && fields.getField(timestamp).equals(0L)) {
      fields.setField(timestamp, System.currentTimeMillis());
    }
    return event.toBuilder().setField(arm, fields.build()).build();
  }

  /** Bytes it takes in a message. */
  static int sizeOf(Event event) {
    return event.getSerializedSize() + EVENT_OVERHEAD;
  }

  /** Completes the events and splits them into messages that the gateway takes. */
  static List<List<Event>> chunks(Iterable<Event> events) {
    List<List<Event>> chunks = new ArrayList<>();
    List<Event> chunk = new ArrayList<>();
    int bytes = 0;
    for (Event incomplete : events) {
      Event event = complete(incomplete);
      boolean isFull = chunk.size() == MAX_BATCH_EVENTS || bytes + sizeOf(event) > MAX_BATCH_BYTES;
      if (isFull && !chunk.isEmpty()) {
        chunks.add(chunk);
        chunk = new ArrayList<>();
        bytes = 0;
      }
      chunk.add(event);
      bytes += sizeOf(event);
    }
    if (!chunk.isEmpty()) chunks.add(chunk);
    return chunks;
  }
}
