-- After an outage: whatever a client has seen before counts as missed from now on. ARGV: 4 the highest
-- stamp that the node has given or seen, 5 whether it has just started: then there was no outage for it, and
-- where other nodes live they know whether there was one, 6 the command that publishes. Answers the floor of all
-- users' stamps.
if ARGV[5] == '1' then
  for _, member in ipairs(redis.call('SMEMBERS', prefix .. 'nodes')) do
    if member ~= node and redis.call('EXISTS', prefix .. 'lease:' .. member) == 1 then
      return field('floor')
    end
  end
end
local counter = field('counter')
local highest = tonumber(ARGV[4])
-- not below the time either, as no stamp is above it: nobody may be left who has seen the highest
local now = redis.call('TIME')
local floor = math.max(counter, highest, tonumber(now[1]) * 1000000 + tonumber(now[2])) + 1
if counter < highest then
  -- Redis has lost writes; by the counter other nodes could not notice any more
  redis.call(ARGV[6], prefix .. 'all', 'mend ' .. node)
end
redis.call('HSET', cursor, 'counter', text(floor), 'floor', text(floor))
return floor
