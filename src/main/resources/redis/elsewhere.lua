-- Answers how many streams of the user the other nodes hold, and since when the user is present on one of them
-- or on this one: -1 when it is on none.
local elsewhere = 0
local since = -1
local function earlier(other)
  if since < 0 or other < since then
    since = other
  end
end
others(function(_, number, other)
  elsewhere = elsewhere + number
  earlier(other)
end)
local known = redis.call('HGET', nodes, node)
if known then
  earlier(tonumber(string.match(known, ' (%d+)$')))
end
return {elsewhere, since}
