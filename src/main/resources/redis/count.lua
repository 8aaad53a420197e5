-- Sets how many streams of the user this node holds. ARGV: 4 how many. Answers the user's last stamp.
count(tonumber(ARGV[4]))
return latest()
