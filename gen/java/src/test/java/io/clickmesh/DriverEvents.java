package io.clickmesh;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonObject;
import com.google.gson.JsonPrimitive;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Message;
import io.clickmesh.v1.Event;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Method;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;

/** Events and options of the driver's protocol, made by what a program would call. */
final class DriverEvents {
  /** What the compiler refuses. */
  static final class Unsupported extends RuntimeException {
    private static final long serialVersionUID = 1;

    Unsupported(String why) {
      super(why);
    }
  }

  private DriverEvents() {}

  static ClickmeshOptions options(JsonObject given) {
    ClickmeshOptions options = new ClickmeshOptions();
    given.asMap().forEach((name, value) -> set(options, name, value));
    if (given.has("failingHeaders")) options.headers(failingAtFirst(options.headers));
    return options;
  }

  private static Supplier<Map<String, String>> failingAtFirst(Supplier<Map<String, String>> headers) {
    AtomicBoolean hasFailed = new AtomicBoolean();
    return () -> {
      if (hasFailed.compareAndSet(false, true)) throw new IllegalStateException("no headers yet");
      return headers.get();
    };
  }

  private static void set(ClickmeshOptions options, String name, JsonElement value) {
    switch (name) {
      case "timeoutMs" -> options.timeout(duration(value));
      case "attemptTimeoutMs" -> options.attemptTimeout(duration(value));
      case "batchSize" -> options.batchSize(integer(value).intValueExact());
      case "batchDelayMs" -> options.batchDelay(duration(value));
      case "maxQueueEvents" -> options.maxQueueEvents(integer(value).intValueExact());
      case "maxQueueBytes" -> options.maxQueueBytes(integer(value).longValueExact());
      case "onFull" -> options.onFull(OnFull.valueOf(value.getAsString().toUpperCase()));
      case "headers" -> {
        Map<String, String> headers = new HashMap<>();
        value.getAsJsonObject().asMap().forEach((header, text) -> headers.put(header, text.getAsString()));
        options.headers(headers);
      }
      case "key" -> options.key(value.getAsString());
      case "protocol" -> options.protocol(Protocol.valueOf(value.getAsString().toUpperCase()));
      case "disabled" -> options.disabled(value.getAsBoolean());
      case "store" -> options.store(Path.of(value.getAsString()));
      case "storeBytes" -> options.storeBytes(integer(value).longValueExact());
      case "failingHeaders", "memory", "silent" -> {}
      default -> throw new Unsupported("the compiler refuses the option " + name);
    }
  }

  private static Duration duration(JsonElement ms) {
    if (!isNumber(ms)) throw new Unsupported("the compiler refuses what is no Duration");
    return Duration.ofNanos(ms.getAsBigDecimal().movePointRight(6).longValue());
  }

  private static BigDecimal integer(JsonElement value) {
    if (!isNumber(value) || value.getAsBigDecimal().stripTrailingZeros().scale() > 0) {
      throw new Unsupported("the compiler refuses what is no integer");
    }
    return value.getAsBigDecimal();
  }

  private static boolean isNumber(JsonElement value) {
    return value instanceof JsonPrimitive primitive && primitive.isNumber();
  }

  static CompletableFuture<Accepted> track(ClickmeshClient client, JsonElement event) {
    return isHelpers(event) ? client.track(builder(event.getAsJsonObject())) : client.track(event(event));
  }

  private static boolean isHelpers(JsonElement event) {
    return event != null && event.isJsonObject() && event.getAsJsonObject().has("type");
  }

  static List<Event> events(JsonArray given) {
    List<Event> events = new ArrayList<>();
    for (JsonElement one : given) events.add(event(one));
    return events;
  }

  static Event event(JsonElement given) {
    if (given == null || given.isJsonNull()) return null;
    if (isHelpers(given)) return builder(given.getAsJsonObject()).build();
    if (given.isJsonObject() && given.getAsJsonObject().size() == 0) return Event.getDefaultInstance();
    throw new Unsupported("the compiler refuses what is no event");
  }

  static EventBuilder<?> builder(JsonObject given) {
    EventBuilder<?> builder =
        switch (given.get("type").getAsString()) {
          case "click" -> Events.click();
          case "conversion" -> Events.conversion();
          case "adjustment" -> Events.adjustment();
          case "verdict" -> Events.verdict();
          case "refund" -> Events.refund();
          case "restate" -> Events.restate();
          case "retract" -> Events.retract();
          case "invalidate" -> Events.invalidate();
          default -> throw new Unsupported("the compiler refuses a type that is not known");
        };
    if (given.has("fields")) given.getAsJsonObject("fields").asMap().forEach((name, value) -> set(builder, name, value));
    return builder;
  }

  /** Calls the setter that a program would call. */
  static void set(EventBuilder<?> builder, String field, JsonElement given) {
    if (field.equals("metadata") && given.isJsonObject() && !given.getAsJsonObject().has("$")) {
      Map<String, Object> entries = new HashMap<>();
      given.getAsJsonObject().asMap().forEach((key, value) -> entries.put(key, entry(value)));
      call(builder, "metadata", Map.class, entries);
      return;
    }
    String name = camel(field);
    Object value = value(given);
    if (value == null) return;
    if (value instanceof BigDecimal number) {
      boolean isDouble = field.equals("value");
      if (!isDouble && number.stripTrailingZeros().scale() > 0) throw refused(field);
      try {
        if (isDouble) call(builder, name, double.class, number.doubleValue());
        else call(builder, name, long.class, number.longValueExact());
      } catch (ArithmeticException tooLarge) {
        throw refused(field);
      }
    } else if (value instanceof Double number) call(builder, name, double.class, number);
    else if (value instanceof Boolean flag) call(builder, name, boolean.class, flag);
    else call(builder, name, value.getClass(), value);
  }

  private static Object entry(JsonElement given) {
    Object value = value(given);
    return value instanceof BigDecimal number ? (Object) number.toPlainString() : value;
  }

  private static Unsupported refused(String field) {
    return new Unsupported("the compiler refuses such a " + field);
  }

  private static void call(EventBuilder<?> builder, String name, Class<?> type, Object value) {
    try {
      Method setter = builder.getClass().getMethod(name, type);
      setter.invoke(builder, value);
    } catch (NoSuchMethodException unknown) {
      throw refused(name);
    } catch (IllegalAccessException | InvocationTargetException fault) {
      throw new IllegalStateException(fault);
    }
  }

  private static String camel(String field) {
    StringBuilder name = new StringBuilder();
    for (String part : field.split("_")) {
      boolean isFirst = name.length() == 0 || part.isEmpty();
      name.append(isFirst ? part : Character.toUpperCase(part.charAt(0)) + part.substring(1));
    }
    return name.toString();
  }

  /** As a program has it: text, BigDecimal for a number, Double for what JSON has not; null for what is absent. */
  private static Object value(JsonElement given) {
    if (given.isJsonNull()) return null;
    if (given.isJsonPrimitive()) {
      JsonPrimitive primitive = given.getAsJsonPrimitive();
      if (primitive.isBoolean()) return primitive.getAsBoolean();
      return primitive.isNumber() ? (Object) primitive.getAsBigDecimal() : primitive.getAsString();
    }
    if (!given.isJsonObject() || !given.getAsJsonObject().has("$")) return new Object[] {given};
    JsonObject special = given.getAsJsonObject();
    return switch (special.get("$").getAsString()) {
      case "date" -> Instant.parse(special.get("value").getAsString());
      case "uuid" -> UUID.fromString(special.get("value").getAsString());
      case "nan" -> Double.NaN;
      case "infinity" -> Double.POSITIVE_INFINITY;
      case "half" -> special.get("value").getAsString() + "\ud83d";
      case "absent" -> null;
      case "integer" -> new BigDecimal(special.get("value").getAsString());
      case "repeat" -> special.get("value").getAsString().repeat(special.get("count").getAsInt());
      default -> throw new Unsupported("the compiler refuses a date without a zone");
    };
  }

  /** The event with its own id, if it has one, and a number. */
  static Event numbered(Event event, int number) {
    FieldDescriptor arm = Events.arm(event);
    if (arm == null || Events.eventId(event).isEmpty()) return event;
    Message fields = (Message) event.getField(arm);
    FieldDescriptor id = arm.getMessageType().findFieldByName("event_id");
    Message numbered = fields.toBuilder().setField(id, Events.eventId(event) + "-" + number).build();
    return event.toBuilder().setField(arm, numbered).build();
  }

  static JsonArray idsOf(List<Event> events) {
    JsonArray ids = new JsonArray();
    for (Event event : events) {
      JsonObject one = new JsonObject();
      one.addProperty("event_id", Events.eventId(event));
      one.addProperty("timestamp", Events.timestamp(event));
      ids.add(one);
    }
    return ids;
  }

  /** Type and fields of an event. */
  static JsonObject json(Event event) {
    JsonObject json = new JsonObject();
    FieldDescriptor arm = Events.arm(event);
    if (arm == null) return json;
    json.addProperty("type", arm.getName());
    json.add("fields", fields((Message) event.getField(arm)));
    return json;
  }

  /** What a message has, by the contract's names. */
  static JsonObject fields(Message message) {
    JsonObject json = new JsonObject();
    message
        .getAllFields()
        .forEach(
            (field, value) -> {
              if (field.isMapField()) json.add(field.getName(), entries((List<?>) value));
              else if (value instanceof Boolean flag) json.addProperty(field.getName(), flag);
              else if (value instanceof Number number) json.addProperty(field.getName(), number);
              else json.addProperty(field.getName(), value.toString());
            });
    return json;
  }

  private static JsonObject entries(List<?> map) {
    JsonObject json = new JsonObject();
    for (Object one : map) {
      Message entry = (Message) one;
      List<FieldDescriptor> fields = entry.getDescriptorForType().getFields();
      json.addProperty((String) entry.getField(fields.get(0)), (String) entry.getField(fields.get(1)));
    }
    return json;
  }
}
