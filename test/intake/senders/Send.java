import io.clickmesh.ClickmeshClient;
import io.clickmesh.ClickmeshOptions;
import io.clickmesh.RejectedException;
import io.clickmesh.v1.Event;
import io.clickmesh.v1.IngestResult;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;

/** Sends events as send.mjs does. */
public final class Send {
  public static void main(String[] args) throws IOException {
    List<Event> events = new ArrayList<>();
    BufferedReader lines = new BufferedReader(new InputStreamReader(System.in));
    for (String line = lines.readLine(); line != null; line = lines.readLine()) {
      events.add(Event.parseFrom(Base64.getDecoder().decode(line)));
    }
    try (ClickmeshClient client = new ClickmeshClient(System.getenv("CLICKMESH_URL"), new ClickmeshOptions())) {
      for (Event event : events) print(send(client, event));
      client.sendBatch(events).forEach(Send::print);
    }
  }

  private static IngestResult send(ClickmeshClient client, Event event) {
    try {
      return IngestResult.newBuilder().setAccepted(client.send(event)).build();
    } catch (RejectedException rejected) {
      return IngestResult.newBuilder().setRejected(rejected.rejection()).build();
    }
  }

  private static void print(IngestResult result) {
    System.out.println(Base64.getEncoder().encodeToString(result.toByteArray()));
  }
}
