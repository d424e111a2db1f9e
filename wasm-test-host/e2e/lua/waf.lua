-- The legacy layer's shape in our own words: ten categories, sixty Lua patterns, the path raw and decoded once,
-- user agent and referer. It stands here only as the peer whose cost the filter is measured against.
local path_rules = {
  "['\";].*['\";]", "union%s+select", "select%s+.+%s+from", "drop%s+table", "delete%s+from", "insert%s+into",
  "update%s+.+%s+set", "%-%-", "%s+or%s+%d+=%d+", "%s+and%s+%d+=%d+",
  "<script", "javascript:", "onerror%s*=", "onload%s*=", "onclick%s*=", "<img", "<iframe", "eval%s*%(", "<svg",
  "%.%./", "%.%.%.+", "%%2e%%2e", "%%2f", "%.%.\\", "%.%.%%", "/etc/passwd", "/proc/self",
  ";%s*%a", "|%s*%a", "`", "%$%(", "&&", "%f[%a]cat%s+/", "%f[%a]wget%s+", "%f[%a]curl%s+",
  "%*%)%(", "%%00", "%(%w+=%*", "<!entity", "<!doctype.*system", "<!doctype.*%[",
  "169%.254%.169%.254", "localhost", "127%.0%.0%.1", "192%.168%.", "metadata%.google", "file://", "gopher://",
  "dict://", "ftp://",
}
local anywhere_rules = { "%${jndi:", "%${lower:", "%${upper:", "%${env:", "%%24%%7b", "\r\n", "\r", "\n" }
local agent_rules = { "sqlmap", "nikto", "nmap", "masscan", "dirbuster", "gobuster", "burp" }

local function decode(text)
  return (text:gsub("%+", " "):gsub("%%(%x%x)", function(hex) return string.char(tonumber(hex, 16)) end))
end

local function matches(text, rules)
  for _, rule in ipairs(rules) do
    if text:find(rule) then return rule end
  end
end

function envoy_on_request(handle)
  local headers = handle:headers()
  local path = (headers:get(":path") or ""):lower()
  local agent = (headers:get("user-agent") or ""):lower()
  local referer = (headers:get("referer") or ""):lower()
  local decoded = decode(path)
  local hit = matches(path, path_rules) or matches(decoded, path_rules) or matches(decoded, anywhere_rules)
    or matches(agent, agent_rules) or matches(agent, anywhere_rules) or matches(decode(referer), anywhere_rules)
  if hit then
    handle:logWarn("waf: " .. hit)
    handle:respond({ [":status"] = "403" }, "Forbidden")
  end
end
