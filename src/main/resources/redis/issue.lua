-- Notes a user's new ticket. KEYS: 5 the user's latest tickets, a ring. ARGV: 4 the ticket, 5 how many of a
-- user may be unused, 6 for how many seconds. Answers the ticket that it pushes out, if there was one.
local place = text(redis.call('HINCRBY', KEYS[5], 'count', 1) % tonumber(ARGV[5]))
local oldest = redis.call('HGET', KEYS[5], place)
redis.call('HSET', KEYS[5], place, ARGV[4])
redis.call('EXPIRE', KEYS[5], ARGV[6])
return oldest
