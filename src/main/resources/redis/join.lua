-- Lets a connection in. ARGV: 4 how many the user then has on this node, 5 how many it may have.
-- Answers whether it may.
local elsewhere = 0
others(function(_, number)
  elsewhere = elsewhere + number
end)
local nth = tonumber(ARGV[4])
if elsewhere + nth > tonumber(ARGV[5]) then
  return 0
end
count(math.max(nth, tonumber(redis.call('HGET', nodes, node) or 0)))
return 1
