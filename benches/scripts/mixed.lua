-- Tables, strings, closures and metatables. `size` is set by the program that runs this; the result is a checksum.
local acc = 0
local function mix(v) acc = (acc * 31 + v) % 1000000007 end

-- Objects through metatables.
local Account = {}
Account.__index = Account
function Account.new(balance) return setmetatable({ balance = balance, log = {} }, Account) end
function Account:deposit(v)
  self.balance = self.balance + v
  self.log[#self.log + 1] = v
end

local function queens(n)
  local count, cols, up, down = 0, {}, {}, {}
  local function place(row)
    if row > n then
      count = count + 1
      return
    end
    for c = 1, n do
      if not cols[c] and not up[row + c] and not down[row - c + n] then
        cols[c], up[row + c], down[row - c + n] = true, true, true
        place(row + 1)
        cols[c], up[row + c], down[row - c + n] = false, false, false
      end
    end
  end
  place(1)
  return count
end

for round = 1, size do
  local accounts = {}
  for i = 1, 100 do accounts[i] = Account.new(i) end
  for i = 1, 2000 do accounts[i % 100 + 1]:deposit(i % 17) end
  for i = 1, 100 do mix(accounts[i].balance + #accounts[i].log) end

  local parts = {}
  for i = 1, 500 do parts[#parts + 1] = string.format("%d:%s", i * round, string.rep("x", i % 7)) end
  local text = table.concat(parts, ",")
  for k, v in text:gmatch("(%d+):(x*)") do mix(tonumber(k) % 1000 + #v) end
  mix(#text:gsub("xx", "y"))

  local words = {}
  for i = 1, 1000 do words[i] = (i * 7919 + round) % 1009 end
  table.sort(words, function(a, b) return a < b end)
  for i = 1, 1000, 50 do mix(words[i]) end

  local x = 0.5
  for i = 1, 5000 do x = x * 3.9 * (1 - x) end
  mix(math.floor(x * 1000000))
  mix(queens(6))
end
return tostring(acc)
