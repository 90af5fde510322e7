package io.clickmesh;

import java.io.IOException;
import java.io.OutputStream;
import java.util.zip.Deflater;
import java.util.zip.GZIPOutputStream;

/** gzip at its fastest level: sending must not cost more than what is sent. */
final class FastGzipStream extends GZIPOutputStream {
  private static final int BUFFER_BYTES = 8192;

  FastGzipStream(OutputStream bytes) throws IOException {
    super(bytes, BUFFER_BYTES);
    def.setLevel(Deflater.BEST_SPEED);
  }
}
