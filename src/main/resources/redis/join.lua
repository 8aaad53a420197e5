-- Lets a connection in. ARGV: 4 how many the user then has on this node, 5 how many it may have, 6 since
-- when it is present on this node. Answers whether it may.
local elsewhere = 0
local since = tonumber(ARGV[6])
others(function(_, number, earlier)
  elsewhere = elsewhere + number
  since = math.min(since, earlier) -- it came from there
end)
local nth = tonumber(ARGV[4])
if elsewhere + nth > tonumber(ARGV[5]) then
  return 0
end
local known = redis.call('HGET', nodes, node)
if known then
  local number, earlier = string.match(known, '^(%d+) (%d+)$')
  nth = math.max(nth, tonumber(number))
  since = math.min(since, tonumber(earlier))
end
hold(nth, since)
return 1
