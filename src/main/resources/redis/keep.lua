-- Keeps a ticket. KEYS: 5 its place. ARGV: 4 what it stands for, 5 for how many milliseconds. Answers 1.
redis.call('SET', KEYS[5], ARGV[4], 'PX', ARGV[5])
return 1
