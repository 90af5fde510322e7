package io.clickmesh;

import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.RejectReason;
import io.clickmesh.v1.Rejection;
import java.math.BigDecimal;
import java.math.RoundingMode;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;

/**
 * Judges an event by the rules of the contract, in the gateway's words (services/gateway/event/accept.ts); what only the
 * gateway can know is left to it: the currency of the mesh, and the user of a correction that does not say whose it is.
 */
final class EventCheck {
  /** Stands for a value whose text was no number: a NaN, which is refused wherever it gets to, with a mark. */
  static final double NO_NUMBER = Double.longBitsToDouble(0x7ff8_0000_636c_6963L);
  /** Stands for an entry of metadata that has no text. */
  static final String NO_TEXT = "\0";

  private static final String UNREADABLE =
      " has NUL, half of a surrogate pair, or bytes that are not UTF-8: send it as UTF-8 text";

  /** A field with what must hold for it. */
  private record Field(FieldDescriptor descriptor, EventRules.FieldRule rule) {
    String name() {
      return rule.name;
    }

    boolean isGiven(Message message) {
      return !rule.optional || message.hasField(descriptor);
    }

    String text(Message message) {
      return (String) message.getField(descriptor);
    }
  }

  /** What breaks a rule. */
  private record Fault(Field field, RejectReason reason, String limit, String message) {}

  /** A step of the judgement: the first fault, by field number; null if there is none. */
  private interface Step {
    Fault faultOf(Message message);
  }

  private static final Map<Integer, EventCheck> BY_ARM = new HashMap<>();

  static {
    for (FieldDescriptor arm : Event.getDescriptor().getOneofs().get(0).getFields()) {
      BY_ARM.put(arm.getNumber(), new EventCheck(arm));
    }
  }

  private final List<Field> fields = new ArrayList<>();
  private final Map<String, List<Field>> byKind = new HashMap<>();
  /** Those whose text is stored, or stands for what is; and all that hold text. */
  private final List<Field> texts = new ArrayList<>();
  private final List<Field> written = new ArrayList<>();
  /** The number that is stored in micros, and the field of these; null if the type has none. */
  private Field number;
  private Field micros;
  private final List<Step> steps =
      List.of(
          this::requiredFieldsPresent,
          this::textsWellFormed,
          this::textsShortEnough,
          this::idsAreSomebodys,
          this::choicesKnown,
          this::numberFitsChoice,
          this::timesInRange,
          this::numbersFinite,
          this::numbersInRange,
          this::storedNumbersAgree);

  private EventCheck(FieldDescriptor arm) {
    for (EventRules.FieldRule rule : EventRules.EVENT_RULES.get(arm.getName())) {
      Field field = new Field(arm.getMessageType().findFieldByName(rule.name), rule);
      fields.add(field);
      byKind.computeIfAbsent(rule.kind, kind -> new ArrayList<>()).add(field);
    }
    for (String kind : List.of("uuid", "text")) texts.addAll(ofKind(kind));
    written.addAll(texts);
    for (String kind : List.of("choice", "currency")) written.addAll(ofKind(kind));
    for (Field field : ofKind("number")) {
      if (field.rule.storedIn.isEmpty()) continue;
      number = field;
      for (Field other : fields) if (other.name().equals(field.rule.storedIn)) micros = other;
    }
  }

  private List<Field> ofKind(String kind) {
    return byKind.getOrDefault(kind, List.of());
  }

  /** What the event breaks; null if nothing. */
  static Rejection check(Event event) {
    FieldDescriptor arm = Events.arm(event);
    if (arm == null) {
      String known = String.join(", ", Event.getDescriptor().getFields().stream().map(FieldDescriptor::getName).toList());
      return rejection("", "event", RejectReason.REJECT_REASON_UNKNOWN_EVENT_TYPE, "", "event is none of " + known, "");
    }
    Message message = (Message) event.getField(arm);
    for (Step step : BY_ARM.get(arm.getNumber()).steps) {
      Fault fault = step.faultOf(message);
      if (fault == null) continue;
      Object value = fault.field.isGiven(message) ? message.getField(fault.field.descriptor) : null;
      String received = Received.text(value);
      return rejection(
          Events.eventId(event), fault.field.name(), fault.reason, fault.limit, fault.message, received);
    }
    return null;
  }

  /** What is too large for a call, all by itself. */
  static Rejection tooLarge(Event event) {
    String limit = EventRules.MAX_CALL_BYTES + " bytes";
    String message = "event must have at most %s: it has %d".formatted(limit, event.getSerializedSize());
    return rejection(Events.eventId(event), "event", RejectReason.REJECT_REASON_TOO_LONG, limit, message, "");
  }

  private static Rejection rejection(
      String eventId, String field, RejectReason reason, String limit, String message, String received) {
    return Rejection.newBuilder()
        .setEventId(Received.wellFormed(eventId.substring(0, Math.min(eventId.length(), 128))))
        .setField(field)
        .setReason(reason)
        .setLimit(limit)
        .setMessage(message)
        .setReceived(received)
        .build();
  }

  private Fault requiredFieldsPresent(Message message) {
    for (Field field : fields) {
      // The gateway finds the user of a correction.
      if (!field.rule.required || !field.rule.foundBy.isEmpty()) continue;
      if (field.rule.optional ? message.hasField(field.descriptor) : !isEmpty(message.getField(field.descriptor))) continue;
      String why = field.rule.kind.equals("time") ? " is required: it is missing or 0" : " is required";
      return new Fault(field, RejectReason.REJECT_REASON_REQUIRED, "", field.name() + why);
    }
    return null;
  }

  private static boolean isEmpty(Object value) {
    return value.equals("") || value.equals(0L);
  }

  private Fault textsWellFormed(Message message) {
    for (Field field : written) {
      if (Utf8.size(field.text(message)) >= 0) continue;
      return new Fault(field, RejectReason.REJECT_REASON_MALFORMED, "", field.name() + UNREADABLE);
    }
    return null;
  }

  private Fault textsShortEnough(Message message) {
    for (Field field : texts) {
      int bytes = Utf8.size(field.text(message));
      if (bytes <= field.rule.maxBytes) continue;
      String limit = field.rule.maxBytes + " bytes";
      String text = "%s must have at most %s of UTF-8: it has %d".formatted(field.name(), limit, bytes);
      return new Fault(field, RejectReason.REJECT_REASON_TOO_LONG, limit, text);
    }
    return null;
  }

  private Fault idsAreSomebodys(Message message) {
    for (Field field : texts) {
      boolean isId = field.rule.kind.equals("uuid") || field.rule.isId;
      if (!isId || !Nobody.is(field.text(message))) continue;
      String text = " is a placeholder, not an id: strangers would share it; send the event once the id is known";
      return new Fault(field, RejectReason.REJECT_REASON_PLACEHOLDER, "", field.name() + text);
    }
    return null;
  }

  private Fault choicesKnown(Message message) {
    for (Field field : ofKind("choice")) {
      if (field.rule.values.contains(field.text(message))) continue;
      String limit = anyOf(field.rule.values);
      return new Fault(field, RejectReason.REJECT_REASON_UNKNOWN_CHOICE, limit, field.name() + " must be " + limit);
    }
    return null;
  }

  private static String anyOf(List<String> values) {
    int last = values.size() - 1;
    if (last < 2) return String.join(" or ", values);
    return String.join(", ", values.subList(0, last)) + ", or " + values.get(last);
  }

  /** What a number would mean where it has no meaning, or counting none as 0, is a guess about money. */
  private Fault numberFitsChoice(Message message) {
    for (Field field : ofKind("choice")) {
      if (number == null || field.rule.withoutValue.isEmpty()) continue;
      String chosen = field.text(message);
      Field given = number.isGiven(message) ? number : micros.isGiven(message) ? micros : null;
      boolean mayHave = !field.rule.withoutValue.contains(chosen);
      if (mayHave && given == null) {
        String text = "%1$s is required for a %2$s: send %1$s or %3$s".formatted(number.name(), chosen, micros.name());
        return new Fault(number, RejectReason.REJECT_REASON_REQUIRED, "", text);
      }
      if (!mayHave && given != null) {
        String text =
            "%s and %s contradict each other: a %2$s has no %3$s".formatted(given.name(), chosen, number.name());
        return new Fault(given, RejectReason.REJECT_REASON_CONTRADICTION, "", text);
      }
    }
    return null;
  }

  private Fault timesInRange(Message message) {
    for (Field field : ofKind("time")) {
      long time = (long) message.getField(field.descriptor);
      long min = field.rule.minMs;
      long max = System.currentTimeMillis() + field.rule.maxAheadMs;
      if (time >= min && time <= max) continue;
      String limit =
          "[%s, now + %d h] in milliseconds".formatted(Received.date(min).substring(0, 10), field.rule.maxAheadMs / 3_600_000);
      String text = "%s must be in %s: %d %s".formatted(field.name(), limit, time, Received.lookOf(time, min, max));
      return new Fault(field, RejectReason.REJECT_REASON_OUT_OF_RANGE, limit, text);
    }
    return null;
  }

  private Fault numbersFinite(Message message) {
    for (Field field : ofKind("number")) {
      if (!field.isGiven(message)) continue;
      double value = (double) message.getField(field.descriptor);
      if (Double.isFinite(value)) continue;
      if (Double.doubleToRawLongBits(value) == Double.doubleToRawLongBits(NO_NUMBER)) {
        String text = " must be a number such as 19.99, without separators, blanks or currency signs";
        return new Fault(field, RejectReason.REJECT_REASON_MALFORMED, "", field.name() + text);
      }
      return new Fault(field, RejectReason.REJECT_REASON_NOT_FINITE, "", field.name() + " is not a finite number");
    }
    return null;
  }

  private Fault numbersInRange(Message message) {
    for (Field field : ofKind("number")) {
      double value = (double) message.getField(field.descriptor);
      if (value < 0 || value > field.rule.max) return outOfRange(field, Received.number(value));
    }
    for (Field field : ofKind("integer")) {
      long value = (long) message.getField(field.descriptor);
      if (value < 0 || value > field.rule.max) return outOfRange(field, Long.toString(value));
    }
    return null;
  }

  private static Fault outOfRange(Field field, String received) {
    BigDecimal max = BigDecimal.valueOf(field.rule.max).stripTrailingZeros();
    String limit = "[0, %se%d]".formatted(max.unscaledValue(), -max.scale());
    String text = "%s must be in %s: it is %s".formatted(field.name(), limit, received);
    if (received.startsWith("-") && !field.rule.reducedBy.isEmpty()) {
      text += "; to take something back, send an event of type " + field.rule.reducedBy;
    }
    return new Fault(field, RejectReason.REJECT_REASON_OUT_OF_RANGE, limit, text);
  }

  /** Number and micros agree if either converts into the other: doubles above 2^53 micros stand for several integers. */
  private Fault storedNumbersAgree(Message message) {
    if (number == null || !number.isGiven(message) || !micros.isGiven(message)) return null;
    double value = (double) message.getField(number.descriptor);
    long stored = (long) message.getField(micros.descriptor);
    if (!number.rule.optional && (value == 0 || stored == 0)) return null;
    BigDecimal exact = new BigDecimal(value).setScale(6, RoundingMode.HALF_UP).movePointRight(6);
    if (exact.compareTo(BigDecimal.valueOf(stored)) == 0 || stored / 1e6 == value) return null;
    String text = "%s is not %s in micros: send one of them".formatted(micros.name(), number.name());
    return new Fault(micros, RejectReason.REJECT_REASON_CONTRADICTION, "", text);
  }

  /**
   * The event without the entries of its maps that no encoding has, which would cost it its text; the others are added to
   * leftOut, by the names of map and key.
   */
  static Event withoutUnreadableEntries(Event event, List<String> leftOut) {
    FieldDescriptor arm = Events.arm(event);
    Message message = (Message) event.getField(arm);
    Message.Builder kept = null;
    for (Field field : BY_ARM.get(arm.getNumber()).ofKind("map")) {
      if (message.getRepeatedFieldCount(field.descriptor) == 0) continue;
      List<Object> good = new ArrayList<>();
      List<?> entries = (List<?>) message.getField(field.descriptor);
      for (Object one : entries) {
        Message entry = (Message) one;
        String key = (String) entry.getField(entry.getDescriptorForType().findFieldByNumber(1));
        String value = (String) entry.getField(entry.getDescriptorForType().findFieldByNumber(2));
        if (Utf8.size(key) >= 0 && Utf8.size(value) >= 0) good.add(entry);
        else leftOut.add(Received.cut(field.name() + "." + key));
      }
      if (good.size() == entries.size()) continue;
      if (kept == null) kept = message.toBuilder();
      kept.setField(field.descriptor, good);
    }
    return kept == null ? event : event.toBuilder().setField(arm, kept.build()).build();
  }
}
