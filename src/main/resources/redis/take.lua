-- Takes a ticket. KEYS: 5 its place. Answers what it stands for, or nothing.
return redis.call('GETDEL', KEYS[5])
