/* The Lua of sessions. Each text is the common beginning and what the script does; both are constants.
 *
 * Keys, below the namespace of Spring Session (platform.md 10.2):
 *   sessions:<id>            hash      creationTime, lastAccessedTime, maxInactiveInterval, sessionAttr:<name>
 *   sessions:expires:<id>    string    empty; it lives as long as the session
 *   expirations:<ms>         set       expires:<id> of the sessions that end in the minute before
 *   index:...:<user>         set       ids
 *   destroyed:<id>           string    why; whoever wrote it runs what the end of the session asks for
 * and of our own, below redis.namespace: session:live, a sorted set of ids by the time of their ends.
 *
 * 1. Nothing is written for a session whose hash is gone or has interval 0: a late write does not undo a logout.
 * 2. A session ends in one place, finish(), and once: the mark `destroyed` is set if it is not there.
 * 3. A key of the wrong type stops the script with the error "WRONGTYPE <key>".
 * 4. A set gets its member before its time to live, so that the first member of a minute does not leave a set for ever. */
#include "scripts.h"

#define BEGIN                                                                                                          \
    "local now = tonumber(ARGV[1])\n"                                                                                  \
    "if not now then local t = redis.call('TIME') now = t[1] * 1000 + math.floor(t[2] / 1000) end\n"                   \
    "local ns, max_age, channel, live, quote, origin = ARGV[2], tonumber(ARGV[3]), ARGV[4], ARGV[5], ARGV[6], ARGV[7]\n" \
    "local PRINCIPAL = '" PRINCIPAL_INDEX "'\n"                                                                        \
    /* redis.call that remembers which key had the wrong type, for it is renamed away then */                          \
    "local trouble\n"                                                                                                  \
    "local function call(...)\n"                                                                                       \
    "  local r = redis.pcall(...)\n"                                                                                   \
    "  if type(r) ~= 'table' or not r.err then return r end\n"                                                         \
    "  trouble = string.find(r.err, 'WRONGTYPE', 1, true) and 'WRONGTYPE ' .. select(2, ...) or r.err\n"               \
    "  error('stopped')\n"                                                                                             \
    "end\n"                                                                                                            \
    "local function whole(n) return string.format('%.0f', n) end\n"                                                    \
    "local function hash_of(id) return ns .. ':sessions:' .. id end\n"                                                 \
    "local function shadow_of(id) return ns .. ':sessions:expires:' .. id end\n"                                       \
    "local function index_of(user) return ns .. ':index:' .. PRINCIPAL .. ':' .. user end\n"                           \
    "local function minute_of(at) return ns .. ':expirations:' .. whole((math.floor(at / 60000) + 1) * 60000) end\n"   \
    "local function member_of(text) return quote .. text .. quote end\n"                                               \
    /* the id in a member of a set, whoever wrote it */                                                                \
    "local function id_in(member) return string.match(member, '(%x+%-%x+%-%x+%-%x+%-%x+)') end\n"                      \
    /* a number in decimal or as a JDK Integer or Long */                                                              \
    "local function num(v)\n"                                                                                          \
    "  local n = v and tonumber(v)\n"                                                                                  \
    "  if n or not v or string.sub(v, 1, 2) ~= '\\172\\237' or (#v ~= 81 and #v ~= 82) then return n end\n"            \
    "  n = 0\n"                                                                                                        \
    "  for i = (#v == 82 and 75 or 78), #v do n = n * 256 + string.byte(v, i) end\n"                                   \
    "  if #v == 81 and n >= 2147483648 then n = n - 4294967296 end\n"                                                  \
    "  return n\n"                                                                                                     \
    "end\n"                                                                                                            \
    /* a text in JSON or as a JDK String */                                                                            \
    "local function text(v)\n"                                                                                         \
    "  if not v then return nil end\n"                                                                                 \
    "  if string.sub(v, 1, 5) == '\\172\\237\\0\\5t' then return string.sub(v, 8) end\n"                               \
    "  local ok, list = pcall(cjson.decode, '[' .. v .. ']')\n"                                                        \
    "  return ok and type(list[1]) == 'string' and list[1] or v\n"                                                     \
    "end\n"                                                                                                            \
    /* when session ID ends (nil: it is none, or it was ended; math.huge: never), its times and its user */            \
    "local function read(id)\n"                                                                                        \
    "  local f = call('HMGET', hash_of(id), 'creationTime', 'lastAccessedTime', 'maxInactiveInterval',\n"              \
    "                 'sessionAttr:' .. PRINCIPAL)\n"                                                                  \
    "  local s = { created = num(f[1]), last = num(f[2]), interval = num(f[3]), user = text(f[4]) }\n"                 \
    "  if not s.created or not s.last or not s.interval then return nil end\n"                                         \
    "  s.ends = math.huge\n"                                                                                           \
    "  if s.interval >= 0 then s.ends = s.last + s.interval * 1000 end\n"                                              \
    "  if max_age > 0 and s.created + max_age < s.ends then s.ends = s.created + max_age end\n"                        \
    "  return s\n"                                                                                                     \
    "end\n"                                                                                                            \
    "local function read_live(id, at)\n"                                                                               \
    "  local s = read(id)\n"                                                                                           \
    "  if s and s.interval ~= 0 and s.ends > (at or now) then return s end\n"                                          \
    "end\n"                                                                                                            \
    "local function forget_minute(id, s)\n"                                                                            \
    "  if s and s.ends ~= math.huge then call('SREM', minute_of(s.ends), member_of('expires:' .. id)) end\n"           \
    "end\n"                                                                                                            \
    /* writes down when ID ends; OLD: what read() said before */                                                       \
    "local function keep(id, old)\n"                                                                                   \
    "  local s = read(id)\n"                                                                                           \
    "  call('APPEND', shadow_of(id), '')\n"                                                                            \
    "  if old and old.ends ~= s.ends then forget_minute(id, old) end\n"                                                \
    "  if s.ends == math.huge then\n"                                                                                  \
    "    call('PERSIST', shadow_of(id))\n"                                                                             \
    "    call('PERSIST', hash_of(id))\n"                                                                               \
    "    call('ZADD', live, '+inf', id)\n"                                                                             \
    "    return\n"                                                                                                     \
    "  end\n"                                                                                                          \
    "  local rest = math.max(s.ends - now, 1)\n"                                                                       \
    "  call('PEXPIRE', shadow_of(id), whole(rest))\n"                                                                  \
    "  call('PEXPIRE', hash_of(id), whole(rest + 300000))\n"                                                           \
    "  call('SADD', minute_of(s.ends), member_of('expires:' .. id))\n"                                                 \
    "  call('PEXPIRE', minute_of(s.ends), whole(rest + 300000))\n"                                                     \
    "  call('ZADD', live, whole(s.ends), id)\n"                                                                        \
    "end\n"                                                                                                            \
    /* the end of ID; true: it is ours to do what follows */                                                           \
    "local function finish(id, why)\n"                                                                                 \
    "  local s = read(id)\n"                                                                                           \
    "  forget_minute(id, s)\n"                                                                                         \
    "  if s and s.user then call('SREM', index_of(s.user), member_of(id)) end\n"                                       \
    "  call('DEL', shadow_of(id))\n"                                                                                   \
    "  call('ZREM', live, id)\n"                                                                                       \
    "  if s then\n"                                                                                                    \
    "    call('HSET', hash_of(id), 'maxInactiveInterval', '0')\n"                                                      \
    "    call('EXPIRE', hash_of(id), 300)\n"                                                                           \
    "  end\n"                                                                                                          \
    "  if not call('SET', ns .. ':destroyed:' .. id, why, 'NX', 'EX', 600) then return false end\n"                    \
    "  call('PUBLISH', channel, origin .. ' ' .. why .. ' ' .. id)\n"                                                  \
    "  return true\n"                                                                                                  \
    "end\n"                                                                                                            \
    "local function main()\n"
#define END                                                                                                            \
    "end\n"                                                                                                            \
    "local ok, answer = pcall(main)\n"                                                                                 \
    "if ok then return answer end\n"                                                                                   \
    "return redis.error_reply(trouble or 'ERR ' .. tostring(answer))\n"
#define SCRIPT(text) UM_REDIS_SCRIPT(BEGIN text END)

struct um_redis_script script_get = SCRIPT(
    "if not read_live(ARGV[8]) then return false end\n"
    "return { now, call('HGETALL', hash_of(ARGV[8])) }\n");

struct um_redis_script script_is_alive = SCRIPT(
    "return read_live(ARGV[8]) and 1 or 0\n");

/* One user's sessions that are over leave the index here; of the living ones those unused longest end. */
struct um_redis_script script_create = SCRIPT(
    "local id, user, most, most_of_user = ARGV[8], ARGV[9], tonumber(ARGV[11]), tonumber(ARGV[12])\n"
    "if call('ZCOUNT', live, '(' .. whole(now), '+inf') >= most then return 'full' end\n"
    "local mine, answer = {}, { now }\n"
    "for _, member in ipairs(call('SMEMBERS', index_of(user))) do\n"
    "  local other = id_in(member)\n"
    "  local s = other and read_live(other)\n"
    "  if s then mine[#mine + 1] = { id = other, last = s.last, created = s.created }\n"
    "  else call('SREM', index_of(user), member) end\n"
    "end\n"
    "table.sort(mine, function(a, b)\n"
    "  if a.last ~= b.last then return a.last < b.last end\n"
    "  if a.created ~= b.created then return a.created < b.created end\n"
    "  return a.id < b.id\n"
    "end)\n"
    "for i = 1, #mine - most_of_user + 1 do\n"
    "  if finish(mine[i].id, 'evicted') then answer[#answer + 1] = mine[i].id end\n"
    "end\n"
    "call('HSET', hash_of(id), 'creationTime', whole(now), 'lastAccessedTime', whole(now), 'maxInactiveInterval', ARGV[10])\n"
    "for i = 15, #ARGV, 2 do call('HSET', hash_of(id), ARGV[i], ARGV[i + 1]) end\n"
    "call('SADD', index_of(user), member_of(id))\n"
    "call('PUBLISH', ARGV[13], ARGV[14])\n"
    "keep(id)\n"
    "return answer\n");

/* A session that a failover may have lost is written again, unless it is there or has ended. */
struct um_redis_script script_restore = SCRIPT(
    "local id, user = ARGV[8], ARGV[9]\n"
    "if call('EXISTS', hash_of(id), ns .. ':destroyed:' .. id) > 0 then return 0 end\n"
    "call('HSET', hash_of(id), 'creationTime', ARGV[11], 'lastAccessedTime', ARGV[12], 'maxInactiveInterval', ARGV[10])\n"
    "for i = 13, #ARGV, 2 do call('HSET', hash_of(id), ARGV[i], ARGV[i + 1]) end\n"
    "if not read_live(id) then call('DEL', hash_of(id)) return 0 end\n"
    "call('SADD', index_of(user), member_of(id))\n"
    "keep(id)\n"
    "return 1\n");

/* The use was AGE ms ago: what counts is whether the session lived then, for the news may be late. */
struct um_redis_script script_touch = SCRIPT(
    "local id, used = ARGV[8], now - tonumber(ARGV[9])\n"
    "local s = read_live(id, used)\n"
    "if not s then return 0 end\n"
    "if used > s.last then\n"
    "  call('HSET', hash_of(id), 'lastAccessedTime', whole(used))\n"
    "  keep(id, s)\n"
    "end\n"
    "return 1\n");

struct um_redis_script script_set = SCRIPT(
    "local id = ARGV[8]\n"
    "if not read_live(id) then return false end\n"
    "if ARGV[10] == '' then call('HDEL', hash_of(id), ARGV[9])\n"
    "else call('HSET', hash_of(id), ARGV[9], ARGV[10]) end\n"
    "return { now, call('HGETALL', hash_of(id)) }\n");

struct um_redis_script script_rename = SCRIPT(
    "local id, fresh = ARGV[8], ARGV[9]\n"
    "local s = read_live(id)\n"
    "if not s then return false end\n"
    "call('RENAME', hash_of(id), hash_of(fresh))\n"
    "if call('EXISTS', shadow_of(id)) == 1 then call('RENAME', shadow_of(id), shadow_of(fresh)) end\n"
    "if s.user then\n"
    "  call('SREM', index_of(s.user), member_of(id))\n"
    "  call('SADD', index_of(s.user), member_of(fresh))\n"
    "end\n"
    "forget_minute(id, s)\n"
    "finish(id, 'renamed')\n"
    "keep(fresh)\n"
    "return { now, call('HGETALL', hash_of(fresh)) }\n");

struct um_redis_script script_destroy = SCRIPT(
    "local s = read(ARGV[8])\n"
    "if not s or s.interval == 0 then return 0 end\n"
    "return finish(ARGV[8], 'destroyed') and 1 or 0\n");

struct um_redis_script script_list = SCRIPT(
    "local answer, index = { now }, index_of(ARGV[8])\n"
    "for _, member in ipairs(call('SMEMBERS', index)) do\n"
    "  local id = id_in(member)\n"
    "  if id and read_live(id) then answer[#answer + 1] = { id, call('HGETALL', hash_of(id)) }\n"
    "  else call('SREM', index, member) end\n"
    "end\n"
    "return answer\n");

struct um_redis_script script_count = SCRIPT(
    "return call('ZCOUNT', live, '(' .. whole(now), '+inf')\n");

/* First what we know to have ended, then the sets of the minutes of the last hour: a session that a tool of Spring's wrote is
 * in no other list. Whatever is found there and lives belongs to another minute. */
struct um_redis_script script_sweep = SCRIPT(
    "local most, ended, n = tonumber(ARGV[8]), {}, 0\n"
    "local function judge(id)\n"
    "  n = n + 1\n"
    "  local s = read_live(id)\n"
    "  if s then return s end\n"
    "  if finish(id, 'expired') then ended[#ended + 1] = id end\n"
    "end\n"
    "for _, id in ipairs(call('ZRANGEBYSCORE', live, '-inf', whole(now), 'LIMIT', 0, most)) do\n"
    "  local s = judge(id)\n"
    "  if s then call('ZADD', live, s.ends == math.huge and '+inf' or whole(s.ends), id) end\n"
    "end\n"
    "local minute = math.floor(now / 60000) * 60000\n"
    "for at = minute, minute - 3600000, -60000 do\n"
    "  if n >= most then break end\n"
    "  local set = ns .. ':expirations:' .. whole(at)\n"
    "  for _, member in ipairs(call('SRANDMEMBER', set, most)) do\n"
    "    local id = id_in(member)\n"
    "    if id then judge(id) end\n"
    "    call('SREM', set, member)\n"
    "  end\n"
    "end\n"
    "return { call('ZCOUNT', live, '(' .. whole(now), '+inf'), n >= most and 1 or 0, unpack(ended) }\n");
