package io.clickmesh;

import io.clickmesh.v1.Event;
import io.grpc.Metadata;
import io.grpc.Status;
import java.math.BigDecimal;
import java.nio.file.Path;
import java.time.Duration;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.BiConsumer;
import java.util.function.Supplier;

/**
 * What may be set of a client. Each setter checks what it is given and throws {@link IllegalArgumentException} with the
 * option's name and range. A client takes what is set when it is made.
 */
public final class ClickmeshOptions {
  private static final Duration MAX_TIMEOUT = Duration.ofDays(1);
  private static final Duration MAX_BATCH_DELAY = Duration.ofSeconds(60);
  private static final long MIB = 1 << 20;

  Duration timeout = Duration.ofSeconds(30);
  Duration attemptTimeout = Duration.ofSeconds(10);
  int batchSize = 500;
  Duration batchDelay = Duration.ofMillis(50);
  int maxQueueEvents = 10_000;
  long maxQueueBytes = 64 * MIB;
  OnFull onFull = OnFull.WAIT;
  Supplier<Map<String, String>> headers = Map::of;
  String key;
  Protocol protocol = Protocol.GRPC;
  boolean disabled;
  BiConsumer<? super RuntimeException, ? super List<Event>> onError = (error, events) -> {};
  System.Logger logger;
  boolean isSilent;
  Path store;
  long storeBytes = 16 * MIB;

  /** Longest time of a call, or of a batch of tracked events, with all its attempts: 1 ms to 1 day. 30 s. */
  public ClickmeshOptions timeout(Duration value) {
    timeout = inRange("timeout", value, Duration.ofMillis(1), MAX_TIMEOUT);
    return this;
  }

  /** Longest time of one attempt: 1 ms to 1 day. 10 s. */
  public ClickmeshOptions attemptTimeout(Duration value) {
    attemptTimeout = inRange("attemptTimeout", value, Duration.ofMillis(1), MAX_TIMEOUT);
    return this;
  }

  /** Tracked events go out when this many wait: 1 to 1,000. 500. */
  public ClickmeshOptions batchSize(int value) {
    batchSize = (int) inRange("batchSize", value, 1, EventRules.MAX_CALL_EVENTS);
    return this;
  }

  /** Tracked events go out when the first has waited this long: 0 to 60 s. 50 ms. */
  public ClickmeshOptions batchDelay(Duration value) {
    batchDelay = inRange("batchDelay", value, Duration.ZERO, MAX_BATCH_DELAY);
    return this;
  }

  /** At most this many tracked events wait or are under way: 1 to 10,000,000. 10,000. */
  public ClickmeshOptions maxQueueEvents(int value) {
    maxQueueEvents = (int) inRange("maxQueueEvents", value, 1, 10_000_000);
    return this;
  }

  /** The same bound in encoded bytes: 1 MiB to 16 GiB. 64 MiB. */
  public ClickmeshOptions maxQueueBytes(long value) {
    maxQueueBytes = inRange("maxQueueBytes", value, MIB, 16L << 30);
    return this;
  }

  /** What track() does while so many wait. {@link OnFull#WAIT}. */
  public ClickmeshOptions onFull(OnFull value) {
    onFull = Objects.requireNonNull(value, "onFull is null: it is WAIT or REJECT");
    return this;
  }

  /** Headers that go with every request. None. */
  public ClickmeshOptions headers(Map<String, String> value) {
    Map<String, String> copy = Map.copyOf(Objects.requireNonNull(value, "headers is null: it is a map, or a function"));
    copy.forEach(ClickmeshOptions::checkHeader);
    headers = () -> copy;
    return this;
  }

  /** A function that is asked for the headers of every attempt, on the thread that sends it. None. */
  public ClickmeshOptions headers(Supplier<Map<String, String>> value) {
    headers = Objects.requireNonNull(value, "headers is null: it is a map, or a function");
    return this;
  }

  /** Sent with every request as {@code authorization: Bearer …}. None. */
  public ClickmeshOptions key(String value) {
    if (value != null) checkHeader("key", value);
    key = value;
    return this;
  }

  /** {@link Protocol#CONNECT} for what is behind a proxy that speaks HTTP/1.1 only. {@link Protocol#GRPC}. */
  public ClickmeshOptions protocol(Protocol value) {
    protocol = Objects.requireNonNull(value, "protocol is null: it is GRPC or CONNECT");
    return this;
  }

  /** Whether the client only checks and counts, as if all had been sent, and connects to nothing. False. */
  public ClickmeshOptions disabled(boolean value) {
    disabled = value;
    return this;
  }

  /**
   * Told of each batch that was given up, of each tracked event that was rejected or refused by a full queue, and of
   * what close() discards; the events have the ids and times that they were given. It is called on the thread that the
   * answers of track() are given on, and may call the client. None.
   */
  public ClickmeshOptions onError(BiConsumer<? super RuntimeException, ? super List<Event>> value) {
    onError = Objects.requireNonNull(value, "onError is null: it is a function of the error and the events");
    return this;
  }

  /**
   * Is warned of what is lost, and of tracked events that are rejected, in at most one line in 10 s, and one at close();
   * null turns that off. {@code System.getLogger("io.clickmesh")}.
   */
  public ClickmeshOptions logger(System.Logger value) {
    logger = value;
    isSilent = value == null;
    return this;
  }

  /**
   * A file that keeps what was tracked and then given up, or discarded by close(); the next client that opens it sends
   * it. One client at a time can have it open. None.
   */
  public ClickmeshOptions store(Path value) {
    store = value;
    return this;
  }

  /** Most bytes that the file may take: 64 KiB to 1 GiB. 16 MiB. */
  public ClickmeshOptions storeBytes(long value) {
    storeBytes = inRange("storeBytes", value, 64 << 10, 1L << 30);
    return this;
  }

  ClickmeshOptions copy() {
    ClickmeshOptions copy = new ClickmeshOptions();
    copy.timeout = timeout;
    copy.attemptTimeout = attemptTimeout;
    copy.batchSize = batchSize;
    copy.batchDelay = batchDelay;
    copy.maxQueueEvents = maxQueueEvents;
    copy.maxQueueBytes = maxQueueBytes;
    copy.onFull = onFull;
    copy.headers = headers;
    copy.key = key;
    copy.protocol = protocol;
    copy.disabled = disabled;
    copy.onError = onError;
    copy.logger = logger;
    copy.isSilent = isSilent;
    copy.store = store;
    copy.storeBytes = storeBytes;
    return copy;
  }

  /**
   * The headers of a request, the key among them.
   *
   * @throws AttemptException if the function that gives them fails: it may have to ask somebody who is away
   */
  Map<String, String> requestHeaders() {
    Map<String, String> given;
    try {
      given = headers.get();
    } catch (RuntimeException fault) {
      throw new AttemptException(Status.Code.UNAVAILABLE, "headers failed: " + fault, true, 0, fault);
    }
    if (key == null) return given == null ? Map.of() : given;
    Map<String, String> all = new HashMap<>();
    if (given != null) all.putAll(given);
    all.put("authorization", "Bearer " + key);
    return all;
  }

  private static Duration inRange(String option, Duration value, Duration min, Duration max) {
    if (value != null && value.compareTo(min) >= 0 && value.compareTo(max) <= 0) return value;
    throw new IllegalArgumentException(
        "%s must be in [%s, %s]: it is %s".formatted(option, text(min), text(max), value == null ? null : text(value)));
  }

  private static String text(Duration value) {
    boolean isSeconds = value.getNano() == 0;
    boolean isLong = value.abs().compareTo(Duration.ofDays(365)) > 0;
    if (isLong || isSeconds) return "%d s".formatted(value.getSeconds());
    return BigDecimal.valueOf(value.toNanos(), 6).stripTrailingZeros().toPlainString() + " ms";
  }

  private static long inRange(String option, long value, long min, long max) {
    if (value >= min && value <= max) return value;
    throw new IllegalArgumentException("%s must be in [%,d, %,d]: it is %,d".formatted(option, min, max, value));
  }

  /** Throws unless gRPC and HTTP/1.1 can have it. */
  private static void checkHeader(String name, String value) {
    Metadata.Key.of(name.toLowerCase(Locale.ROOT), Metadata.ASCII_STRING_MARSHALLER);
    if (value.chars().allMatch(c -> c >= 0x20 && c < 0x7f)) return;
    throw new IllegalArgumentException("the value of header or option " + name + " has other than printable ASCII");
  }
}
