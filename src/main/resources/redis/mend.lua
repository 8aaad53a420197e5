-- After an outage: whatever a client has seen before counts as missed from now on. ARGV: 4 the highest
-- stamp that the node has given or seen. Answers the floor of all users' stamps.
local floor = math.max(field('counter'), tonumber(ARGV[4])) + 1
redis.call('HSET', cursor, 'counter', text(floor), 'floor', text(floor))
return floor
