import io.clickmesh.Accepted;
import io.clickmesh.ClickmeshClient;
import io.clickmesh.Events;
import io.clickmesh.v1.GetStatsRequest;
import io.clickmesh.v1.StatsRow;
import java.time.LocalDate;
import java.time.ZoneOffset;
import java.util.List;
import java.util.UUID;

/**
 * Sends a click, the purchase that followed it and a refund, waits for the statistics and fails if they are not what was
 * sent. CLICKMESH_URL names the gateway.
 */
public final class Quickstart {
  public static void main(String[] args) throws InterruptedException {
    String url = System.getenv().getOrDefault("CLICKMESH_URL", "http://127.0.0.1:8080");
    String campaign = "java-quickstart-" + UUID.randomUUID();
    String user = "user-" + UUID.randomUUID();
    String today = LocalDate.now(ZoneOffset.UTC).toString();
    GetStatsRequest query =
        GetStatsRequest.newBuilder().setStartDate(today).setEndDate(today).setCampaignId(campaign).build();

    try (ClickmeshClient client = new ClickmeshClient(url)) {
      client.track(Events.click().userId(user).adId("ad-1").campaignId(campaign).source("facebook"));
      Accepted purchase =
          client.send(Events.conversion().userId(user).type("purchase").value("19.99").source("ios_app"));
      client.track(Events.refund().userId(user).conversionId(purchase.eventId()).value("5.00"));
      client.flush();

      List<StatsRow> rows = List.of();
      for (int i = 0; i < 150 && (rows.isEmpty() || rows.get(0).getRevenueMicros() != 14_990_000); i++) {
        Thread.sleep(200);
        rows = client.stats(query).getDataList();
      }
      System.out.println(rows);
      StatsRow row = rows.get(0);
      if (row.getClicks() != 1 || row.getConversions() != 1 || row.getRevenueMicros() != 14_990_000) {
        throw new AssertionError("that is not what was sent");
      }
    }
  }
}
