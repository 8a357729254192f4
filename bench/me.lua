-- For wrk: each request asks who its bearer is, each bearer in turn. Arguments: the number of threads; a file with a token a line.
-- Prints "figures", then: answers; seconds; median, 99th percentile and longest wait in milliseconds; what failed. Answers are not
-- looked at one by one, which would cost more than making them: wrk counts those that are no success.

local requests = {}
local last = 0

function init(args)
   for token in io.lines(args[2]) do
      requests[#requests + 1] = wrk.format("GET", nil, { ["Authorization"] = "Bearer " .. token })
   end
end

function request()
   last = last % #requests + 1
   return requests[last]
end

function done(summary, latency)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
   print(string.format("figures %d %.3f %.3f %.3f %.3f %d", summary.requests - failed, summary.duration / 1e6,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, failed))
end
