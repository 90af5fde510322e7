import io.clickmesh.Accepted;
import io.clickmesh.ClickmeshClient;
import io.clickmesh.RejectedException;
import io.clickmesh.SendResult;
import io.clickmesh.v1.Acceptance;
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
    try (ClickmeshClient client = new ClickmeshClient(System.getenv("CLICKMESH_URL"))) {
      for (Event event : events) print(send(client, event));
      client.sendBatch(events).forEach(Send::print);
    }
  }

  private static SendResult send(ClickmeshClient client, Event event) {
    try {
      return new SendResult(client.send(event), null);
    } catch (RejectedException rejected) {
      return new SendResult(null, rejected);
    }
  }

  private static void print(SendResult result) {
    IngestResult.Builder told = IngestResult.newBuilder();
    if (result.isRejected()) told.setRejected(result.rejected().rejection());
    else told.setAccepted(acceptance(result.accepted()));
    System.out.println(Base64.getEncoder().encodeToString(told.build().toByteArray()));
  }

  private static Acceptance acceptance(Accepted accepted) {
    return Acceptance.newBuilder().setEventId(accepted.storedId()).addAllIgnored(accepted.ignored()).build();
  }
}
