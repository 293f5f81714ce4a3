-- Replays requests that were signed before, from a file of lengths (ten digits) and requests.
-- Arguments: the file, the number of threads. Each thread has every n-th request; one that runs out begins again and
-- says so.
local threads, made = {}, 0

function setup(thread)
  thread:set("place", made)
  made = made + 1
  table.insert(threads, thread)
end

function init(args)
  local file, count = assert(io.open(args[1], "rb")), tonumber(args[2])
  requests, sent = {}, 0
  local number, length = 0, file:read(10)
  while length do
    local text = file:read(tonumber(length))
    if number % count == place then
      requests[#requests + 1] = text
    end
    number, length = number + 1, file:read(10)
  end
  file:close()
  available = #requests
end

function request()
  sent = sent + 1
  return requests[(sent - 1) % available + 1]
end

function done(summary, latency, _)
  local sent_by_all, repeated = 0, 0
  for _, thread in ipairs(threads) do
    local sent_by_one, had = thread:get("sent"), thread:get("available")
    sent_by_all = sent_by_all + sent_by_one
    repeated = repeated + math.max(0, sent_by_one - had)
  end
  local errors = summary.errors
  io.write(string.format(
    '\n{"answered": %d, "sent": %d, "repeated": %d, "microseconds": %d, "p50": %d, "p99": %d, "failed": %d}\n',
    summary.requests, sent_by_all, repeated, summary.duration,
    latency:percentile(50), latency:percentile(99),
    errors.connect + errors.read + errors.write + errors.status + errors.timeout
  ))
end
