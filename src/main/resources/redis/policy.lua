-- Answers the policy by which Redis takes away what it holds when its memory is full, or nothing where it takes
-- nothing or does not tell.
local memory = redis.pcall('INFO', 'memory')
if type(memory) ~= 'string' or string.find(memory, '\nmaxmemory:0\r', 1, true) then
  return ''
end
local policy = string.match(memory, '\nmaxmemory_policy:([%w-]+)')
return policy and policy ~= 'noeviction' and policy or ''
