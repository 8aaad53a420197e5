-- Answers how many streams of the user the other nodes hold.
local elsewhere = 0
others(function(_, number)
  elsewhere = elsewhere + number
end)
return elsewhere
