-- A token bucket per key in a table: what a filter in Lua can do. Each worker has a table of its own.
local rate, burst = 0, 0 -- set in front of the script
local buckets = {}

function envoy_on_request(handle)
  local key = handle:headers():get("x-key") or ""
  local now = tonumber(handle:timestamp()) / 1000
  local bucket = buckets[key]
  if bucket == nil then
    bucket = { tokens = burst, at = now }
    buckets[key] = bucket
  end
  bucket.tokens = math.min(burst, bucket.tokens + (now - bucket.at) * rate)
  bucket.at = now
  if bucket.tokens >= 1 then
    bucket.tokens = bucket.tokens - 1
  else
    handle:respond({ [":status"] = "429" }, "")
  end
end
