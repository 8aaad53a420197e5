-- After an outage: whatever a client has seen before counts as missed from now on. ARGV: 4 the highest
-- stamp that the node has given or seen. Answers the floor of all users' stamps, which is not below the time
-- either: nobody may be left who has seen the highest.
local now = redis.call('TIME')
local time = tonumber(now[1]) * 1000000 + tonumber(now[2])
local floor = math.max(field('counter'), tonumber(ARGV[4]), time) + 1
redis.call('HSET', cursor, 'counter', text(floor), 'floor', text(floor))
return floor
