-- For wrk: sends requests as they are, one after the other and again from the first. Arguments: a file of them, with a zero byte
-- between two. Prints "figures", then: answers that were a success; seconds; median and 99th percentile in milliseconds; what
-- failed.

local threads = {}

function setup(thread)
   threads[#threads + 1] = thread
   thread:set("number", #threads)
end

function init(args)
   local file = assert(io.open(args[1], "rb"))
   requests, at = {}, 0
   for request in file:read("*a"):gmatch("%Z+") do
      requests[#requests + 1] = request
   end
   file:close()
   -- The other thread begins elsewhere.
   at = math.floor(#requests / 2) * (number - 1)
end

function request()
   at = at % #requests + 1
   return requests[at]
end

function done(summary, latency)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
   print(string.format("figures %d %.3f %.3f %.3f %d", summary.requests - errors.status, summary.duration / 1e6,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, failed))
end
