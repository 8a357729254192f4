-- For wrk: each request is the sign-in of somebody else, taken by chance from those who have accounts. Its network, which we as a
-- proxy name, is taken by chance, too, so that nobody's share of sign-ins is used up however few the people are. Arguments: the
-- number of threads; how many have accounts. Prints "figures", then: sign-ins; seconds; median, 99th percentile and longest wait
-- in milliseconds; what failed.
--
-- The first 0.3 seconds are not counted: at the end as many sign-ins are on their way as there are connections, hashed and not
-- answered, and at the beginning there were none.

local ffi = require("ffi")
ffi.cdef("struct moment { long seconds, nanoseconds; }; int clock_gettime(int clock, struct moment *now);")
local moment = ffi.new("struct moment")
local CLOCK_MONOTONIC = 1
local WARM_UP = 0.3

local threads = {}
-- Global, so that done() can read them from each thread.
failed = 0
early = 0

function setup(thread)
   threads[#threads + 1] = thread
   thread:set("number", #threads)
end

function init(args)
   people = tonumber(args[2])
   math.randomseed(os.time() * 16 + number)
end

local headers = { ["Content-Type"] = "application/json" }

local function now()
   ffi.C.clock_gettime(CLOCK_MONOTONIC, moment)
   return tonumber(moment.seconds) + tonumber(moment.nanoseconds) / 1e9
end

local counts_from

function request()
   counts_from = counts_from or now() + WARM_UP
   local person = math.random(people)
   local network = math.random(0, 16383)
   headers["X-Forwarded-For"] = "10." .. math.floor(network / 128) .. "." .. network % 128 .. ".1"
   return wrk.format("POST", nil, headers,
      '{"email":"person' .. person .. '@example.com","password":"a long walk by the sea"}')
end

function response(status)
   if status ~= 200 then
      failed = failed + 1
   elseif now() < counts_from then
      early = early + 1
   end
end

function done(summary, latency)
   local errors = summary.errors
   failed = errors.connect + errors.read + errors.write + errors.timeout
   for _, thread in ipairs(threads) do
      failed = failed + thread:get("failed")
      early = early + thread:get("early")
   end
   print(string.format("figures %d %.3f %.3f %.3f %.3f %d", summary.requests - failed - early, summary.duration / 1e6 - WARM_UP,
      latency:percentile(50) / 1000, latency:percentile(99) / 1000, latency.max / 1000, failed))
end
