package io.clickmesh;

import io.clickmesh.v1.Event;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32;

/**
 * Events that could not be sent, in a file: a head, then of each event its length, a checksum and its bytes. What was
 * sent since stays in the file until that is written anew: read again after a crash, it is sent again under the same id.
 * Not safe for threads.
 */
final class Store {
  private static final byte[] HEAD = "clickmesh-store\n".getBytes(StandardCharsets.US_ASCII);
  private static final int RECORD_OVERHEAD = 8;

  private final Path path;
  private final long maxBytes;
  private final Reports reports;
  private final FileChannel lockFile;
  private FileChannel file;

  private final ArrayDeque<Event> waiting = new ArrayDeque<>();
  /** How many of those, from the first, are to be sent now. */
  private int ready;
  /** Those that are being sent. */
  private final Set<Event> taken = Collections.newSetFromMap(new IdentityHashMap<>());
  /** Bytes of the records of both. */
  private long bytes;
  private boolean isDirty;

  /** Opens the file, or makes it. Throws IllegalArgumentException if another client has it open. */
  Store(Path path, long maxBytes, Reports reports) {
    this.path = path.toAbsolutePath();
    this.maxBytes = maxBytes;
    this.reports = reports;
    try {
      Files.createDirectories(this.path.getParent());
      lockFile = open(sibling(".lock"), StandardOpenOption.WRITE, StandardOpenOption.CREATE);
      if (!isMine(lockFile)) {
        lockFile.close();
        throw new IllegalArgumentException("store is open in another client: " + path);
      }
      file = open(this.path, StandardOpenOption.READ, StandardOpenOption.WRITE, StandardOpenOption.CREATE);
      read();
    } catch (IOException error) {
      throw new IllegalArgumentException("store can't be opened: " + error, error);
    }
    ready = waiting.size();
  }

  private static FileChannel open(Path path, StandardOpenOption... options) throws IOException {
    return FileChannel.open(path, options);
  }

  private Path sibling(String ending) {
    return path.resolveSibling(path.getFileName() + ending);
  }

  private static boolean isMine(FileChannel lockFile) throws IOException {
    try {
      FileLock lock = lockFile.tryLock();
      return lock != null;
    } catch (OverlappingFileLockException ofThisJvm) {
      return false;
    }
  }

  /** Reads the events; what a crash has cut off, or something else damaged, is left out, saying so. */
  private void read() throws IOException {
    byte[] content = Files.readAllBytes(path);
    if (content.length == 0) {
      file.write(ByteBuffer.wrap(HEAD));
      return;
    }
    ByteBuffer left = ByteBuffer.wrap(content);
    byte[] head = new byte[Math.min(HEAD.length, content.length)];
    left.get(head);
    if (!Arrays.equals(head, HEAD)) throw new IOException(path + " is no store of clickmesh");
    while (left.remaining() >= RECORD_OVERHEAD) {
      left.mark();
      int length = left.getInt();
      int checksum = left.getInt();
      if (length < 0 || length > left.remaining()) {
        left.reset();
        break;
      }
      byte[] record = new byte[length];
      left.get(record);
      if (checksum != checksumOf(record)) {
        left.reset();
        break;
      }
      Event event = Event.parseFrom(record);
      waiting.add(event);
      bytes += sizeOf(event);
    }
    if (left.hasRemaining()) {
      isDirty = true;
      reports.countFault("%d bytes at the end of the store %s are damaged and left out".formatted(left.remaining(), path));
    }
    file.position(file.size());
  }

  private static int checksumOf(byte[] record) {
    CRC32 crc = new CRC32();
    crc.update(record);
    return (int) crc.getValue();
  }

  private static long sizeOf(Event event) {
    return event.getSerializedSize() + RECORD_OVERHEAD;
  }

  /** Events that it keeps and nobody is sending. */
  int size() {
    return waiting.size();
  }

  /** Those of them that are to be sent now. */
  int ready() {
    return ready;
  }

  /** Makes all ready; whether any is. */
  boolean retry() {
    ready = waiting.size();
    return ready > 0;
  }

  /** The next that is ready, which is then to be forgotten or put back. */
  Event take() {
    Event event = waiting.poll();
    ready--;
    taken.add(event);
    return event;
  }

  /** It was sent, or can't be. */
  void forget(Event event) {
    taken.remove(event);
    bytes -= sizeOf(event);
    isDirty = true;
    if (bytes > 0) return;
    try {
      rewrite();
    } catch (UncheckedIOException error) {
      reports.countFault("the store %s can't be written: %s".formatted(path, error));
    }
  }

  /** It could not be sent; not ready until the next retry(). */
  void putBack(Event event) {
    taken.remove(event);
    waiting.add(event);
  }

  /** False if there is no room for the event. */
  boolean add(Event event) {
    try {
      if (HEAD.length + bytes + sizeOf(event) > maxBytes) return false;
      if (file.position() + sizeOf(event) > maxBytes) rewrite();
      write(file, event);
    } catch (IOException | UncheckedIOException error) {
      reports.countFault("the store %s can't be written: %s".formatted(path, error));
      return false;
    }
    waiting.add(event);
    bytes += sizeOf(event);
    return true;
  }

  private static void write(FileChannel to, Event event) throws IOException {
    byte[] record = event.toByteArray();
    ByteBuffer buffer = ByteBuffer.allocate(RECORD_OVERHEAD + record.length);
    buffer.putInt(record.length).putInt(checksumOf(record)).put(record).flip();
    while (buffer.hasRemaining()) to.write(buffer);
  }

  /** Makes what was added durable. */
  void sync() {
    try {
      file.force(false);
    } catch (IOException error) {
      reports.countFault("the store %s can't be synced: %s".formatted(path, error));
    }
  }

  /** Writes the file anew, with nothing but what it keeps. */
  private void rewrite() {
    try {
      Path fresh = sibling(".new");
      FileChannel to =
          open(fresh, StandardOpenOption.WRITE, StandardOpenOption.CREATE, StandardOpenOption.TRUNCATE_EXISTING);
      to.write(ByteBuffer.wrap(HEAD));
      List<Event> all = new ArrayList<>(taken);
      all.addAll(waiting);
      for (Event event : all) write(to, event);
      to.force(false);
      Files.move(fresh, path, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
      file.close();
      file = to;
      isDirty = false;
    } catch (IOException error) {
      throw new UncheckedIOException(error);
    }
  }

  void close() {
    try {
      if (isDirty) rewrite();
      file.close();
      lockFile.close();
    } catch (IOException | UncheckedIOException error) {
      reports.countFault("the store %s can't be closed: %s".formatted(path, error));
    }
  }
}
