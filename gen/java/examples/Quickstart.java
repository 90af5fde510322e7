import io.clickmesh.ClickmeshClient;
import io.clickmesh.ClickmeshOptions;
import io.clickmesh.Events;
import io.clickmesh.v1.Click;
import io.clickmesh.v1.Conversion;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.StatsRow;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;

/**
 * Sends a click and the purchase that followed it, waits for the statistics and fails if they are not what was sent.
 * CLICKMESH_URL names the gateway.
 */
public final class Quickstart {
  public static void main(String[] args) throws InterruptedException {
    String url = System.getenv().getOrDefault("CLICKMESH_URL", "http://127.0.0.1:8080");
    String campaign = "java-quickstart-" + UUID.randomUUID();
    String user = "user-" + UUID.randomUUID();
    String today = LocalDate.now(ZoneOffset.UTC).toString();
    GetStatsRequest query =
        GetStatsRequest.newBuilder().setStartDate(today).setEndDate(today).setCampaignId(campaign).build();

    try (ClickmeshClient client = new ClickmeshClient(url, new ClickmeshOptions())) {
      client.track(
          Events.of(
              Click.newBuilder().setUserId(user).setAdId("ad-1").setCampaignId(campaign).setSource("facebook").build()));
      client.track(
          Events.of(
              Conversion.newBuilder().setUserId(user).setType("purchase").setValue(19.99).setSource("ios_app").build()));
      client.flush();

      List<StatsRow> rows = List.of();
      for (int i = 0; i < 150 && (rows.isEmpty() || rows.get(0).getConversions() == 0); i++) {
        Thread.sleep(200);
        rows = client.getStats(query).getDataList();
      }
      System.out.println(rows);
      StatsRow row = rows.get(0);
      if (row.getClicks() != 1 || row.getConversions() != 1 || row.getRevenueMicros() != 19_990_000) {
        throw new AssertionError("that is not what was sent");
      }
    }
  }
}
