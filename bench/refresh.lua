-- For wrk: each connection renews one session after the other, taken by chance from those that nobody else is at, with
-- the refresh token that was last given for it. Arguments: the number of threads; a file of refresh tokens, one a line, of which
-- each thread has its share, and where the successors are in the end. Prints "figures", then: refreshes; seconds; median, 99th
-- percentile and longest wait in milliseconds; what failed.

local threads = {}
-- Global, so that done() can read them from each thread.
tokens, failed = {}, 0

function setup(thread)
   threads[#threads + 1] = thread
   thread:set("number", #threads)
end

function init(args)
   file = args[2]
   math.randomseed(number)
   local line_number = 0
   for line in io.lines(file) do
      line_number = line_number + 1
      if line_number % args[1] == number % args[1] then
         tokens[#tokens + 1] = line
      end
   end
end

local headers = { ["Content-Type"] = "application/json" }

function request()
   local at = math.random(#tokens)
   local token = tokens[at]
   tokens[at] = tokens[#tokens]
   tokens[#tokens] = nil
   return wrk.format("POST", nil, headers, '{"refreshToken":"' .. token .. '"}')
end

function response(status, _, body)
   local successor = status == 200 and body:match('"refreshToken":"([^"]+)"')
   if successor then
      tokens[#tokens + 1] = successor
   else
      failed = failed + 1
   end
end

function done(summary, latency)
   local errors = summary.errors
   failed = errors.connect + errors.read + errors.write + errors.timeout
   local left = assert(io.open(threads[1]:get("file"), "w"))
   for _, thread in ipairs(threads) do
      failed = failed + thread:get("failed")
      left:write(table.concat(thread:get("tokens"), "\n"), "\n")
   end
   left:close()
   print(string.format("figures %d %.3f %.3f %.3f %.3f %d", summary.requests - failed, summary.duration / 1e6,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, failed))
end
