-- For wrk: each request asks who its bearer is. Arguments: the number of threads; the token. Prints "figures", then: answers;
-- seconds; median, 99th percentile and longest wait in milliseconds; what failed. Answers are not looked at one by one, which
-- would cost more than making them: wrk counts those that are no success.

function init(args)
   wrk.headers["Authorization"] = "Bearer " .. args[2]
   whole = wrk.format("GET")
end

function request()
   return whole
end

function done(summary, latency)
   local errors = summary.errors
   local failed = errors.connect + errors.read + errors.write + errors.timeout + errors.status
   print(string.format("figures %d %.3f %.3f %.3f %.3f %d", summary.requests - failed, summary.duration / 1e6,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, failed))
end
