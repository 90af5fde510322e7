-- For wrk: 10,000 prepared requests, 90 % clicks and 10 % conversions, over and over.
local COUNT = 10000
local BASE = 1767614400000
local requests, sent = {}, 0

function init()
  math.randomseed(42)
  local headers = { ["Content-Type"] = "application/json" }
  for k = 1, COUNT do
    local id = string.format("%08x-0000-4000-8000-%012x", math.random(0, 0x7fffffff), k)
    local user = math.random(0, 199999)
    local body
    if k % 10 == 0 then
      body = string.format('{"event_type":"conversion","event_id":"%s","user_id":"user-%d","type":"purchase","value":19.99,"source":"ios_app","timestamp":%.0f}', id, user, BASE + k)
    else
      body = string.format('{"event_type":"click","event_id":"%s","user_id":"user-%d","ad_id":"ad-%d","campaign_id":"camp-%d","source":"facebook","timestamp":%.0f,"metadata":{"browser":"Chrome","geo":"US"}}', id, user, math.random(0, 9999), math.random(0, 999), BASE + k)
    end
    requests[k] = wrk.format("POST", "/api/v1/events", headers, body)
  end
end

function request()
  sent = sent % COUNT + 1
  return requests[sent]
end

function done(summary, latency)
  local errors = summary.errors
  io.write(string.format('{"requests":%d,"seconds":%.6f,"p50":%.3f,"p99":%.3f,"failed":%d}\n',
    summary.requests, summary.duration / 1e6, latency:percentile(50) / 1000, latency:percentile(99) / 1000,
    errors.status + errors.connect + errors.read + errors.write + errors.timeout))
end
