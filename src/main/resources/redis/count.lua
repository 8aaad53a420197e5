-- Notes how many streams of the user this node holds. ARGV: 4 how many, 5 since when the user is present on
-- this node, or -1 when it is no more. Answers the user's last stamp.
local since = tonumber(ARGV[5])
if since < 0 then
  redis.call('HDEL', nodes, node)
else
  local known = redis.call('HGET', nodes, node)
  if known then
    since = math.min(since, tonumber(string.match(known, ' (%d+)$')))
  end
  hold(tonumber(ARGV[4]), since)
end
return latest()
