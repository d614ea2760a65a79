//! What Redis does in one go. Each script touches keys of one slot; only [`SESSION_AND_USER`], which is for a
//! single server, finds one of its keys by itself.

use std::sync::LazyLock;

use ::redis::{Cmd, Script, ToRedisArgs};

/// A script, and the name under which a server knows it that has run it before.
pub(super) struct Lua {
    code: &'static str,
    hash: String,
}

/// A script with its keys and arguments.
pub(super) struct Call {
    script: &'static Lua,
    keys: Vec<String>,
    arguments: Vec<Vec<u8>>,
}

impl Lua {
    fn new(code: &'static str) -> Self {
        Self { code, hash: Script::new(code).get_hash().to_owned() }
    }

    pub(super) fn key(&'static self, key: impl Into<String>) -> Call {
        Call { script: self, keys: vec![key.into()], arguments: Vec::new() }
    }
}

impl Call {
    pub(super) fn key(&mut self, key: impl Into<String>) -> &mut Self {
        self.keys.push(key.into());
        self
    }

    pub(super) fn arg(&mut self, argument: impl ToRedisArgs) -> &mut Self {
        self.arguments.extend(argument.to_redis_args());
        self
    }

    /// Runs the script where it is known.
    pub(super) fn by_name(&self) -> Cmd {
        self.command("EVALSHA", &self.script.hash)
    }

    /// Runs the script, and makes it known there. The other nodes of a cluster need not be asked for that: one of
    /// them may be away.
    pub(super) fn by_text(&self) -> Cmd {
        self.command("EVAL", self.script.code)
    }

    fn command(&self, name: &str, script: &str) -> Cmd {
        let mut command = ::redis::cmd(name);
        command.arg(script).arg(self.keys.len()).arg(&self.keys).arg(&self.arguments);
        command
    }
}

/// Declares `static NAME: Lua` from the text of a script.
macro_rules! scripts {
    ($($(#[$doc:meta])* $name:ident = $($text:expr),+;)+) => {
        $($(#[$doc])* pub(super) static $name: LazyLock<Lua> =
            LazyLock::new(|| Lua::new(concat!($($text),+)));)+
    };
}

/// The time of the server, in milliseconds.
macro_rules! now {
    () => {
        "local time = redis.call('TIME')
         local now = time[1] * 1000 + math.floor(time[2] / 1000)
        "
    };
}

/// Writes `KEYS[1]`. With an end in `ends`, Redis drops it an hour after that, and at the soonest in an hour:
/// the clock of whoever writes may be wrong, and they may be about to read it.
macro_rules! write {
    () => {
        "local function write(value, ends)
             if ends == '' then return redis.call('SET', KEYS[1], value) end
             local last = math.max(tonumber(ends), now) + 3600000
             redis.call('SET', KEYS[1], value, 'PXAT', string.format('%.0f', last))
         end
        "
    };
}

scripts! {
    /// `KEYS` one, `ARGV` value, end. Writes what is not there. 1 if it was written.
    PUT = now!(), write!(),
        "if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
         write(ARGV[1], ARGV[2])
         return 1";

    /// `KEYS` one, `ARGV` old, new, end. Writes what has not changed. 1 if it was written.
    SWAP = now!(), write!(),
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
         write(ARGV[2], ARGV[3])
         return 1";

    /// `KEYS` one, `ARGV` old. Removes what has not changed. 1 if it was removed.
    DROP =
        "if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
         return redis.call('DEL', KEYS[1])";

    /// `KEYS` session, `ARGV` what is before the id in the key of a user, which characters of it are encoded.
    /// Both, or the session only, or nothing.
    SESSION_AND_USER =
        "local session = redis.call('GET', KEYS[1])
         if not session then return {} end
         local read, record = pcall(cjson.decode, session)
         if not read or type(record) ~= 'table' or type(record.userId) ~= 'string' then return {session} end
         local id = string.gsub(record.userId, ARGV[2], function(character)
             return string.format('%%%02X', string.byte(character))
         end)
         return {session, redis.call('GET', ARGV[1] .. id) or nil}";

    /// `KEYS` moving, `ARGV` session. It is being begun.
    BEGIN = now!(),
        "return redis.call('ZADD', KEYS[1], now, ARGV[1])";

    /// `KEYS` sessions, moving, ends; `ARGV` session, when begun or nothing, end, user as in `ends`, limit or
    /// nothing. It has begun, unless it was ended meanwhile. Answers it and those that have to go for it.
    SETTLE = now!(),
        "if redis.call('ZREM', KEYS[2], ARGV[1]) == 0 then return {} end
         redis.call('ZADD', KEYS[1], ARGV[2] == '' and now or ARGV[2], ARGV[1])
         redis.call('ZADD', KEYS[3], ARGV[3], ARGV[4] .. ':' .. ARGV[1])
         local answer = {ARGV[1]}
         local over = ARGV[5] == '' and 0 or redis.call('ZCARD', KEYS[1]) - tonumber(ARGV[5])
         if over <= 0 then return answer end
         for _, session in ipairs(redis.call('ZRANGE', KEYS[1], 0, over)) do
             if session ~= ARGV[1] and over > 0 then
                 over = over - 1
                 redis.call('ZREM', KEYS[1], session)
                 redis.call('ZADD', KEYS[2], now, session)
                 answer[#answer + 1] = session
             end
         end
         return answer";

    /// `KEYS` sessions, ends; `ARGV` session, when begun or nothing, end, user as in `ends`. It is there.
    TOUCH = now!(),
        "redis.call('ZADD', KEYS[1], 'NX', ARGV[2] == '' and now or ARGV[2], ARGV[1])
         return redis.call('ZADD', KEYS[2], ARGV[3], ARGV[4] .. ':' .. ARGV[1])";

    /// `KEYS` sessions, moving. Both with scores, those that moved for more than a minute apart from the rest:
    /// whoever began or ended them has not come to the end of it.
    LIST = now!(),
        "return {redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES'),
                 redis.call('ZRANGEBYSCORE', KEYS[2], now - 60000, '+inf', 'WITHSCORES'),
                 redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', '(' .. now - 60000, 'WITHSCORES')}";

    /// `KEYS` sessions, moving, ends; `ARGV` user as in `ends`, sessions. They are gone.
    FORGET =
        "for index = 2, #ARGV do
             redis.call('ZREM', KEYS[1], ARGV[index])
             redis.call('ZREM', KEYS[2], ARGV[index])
             redis.call('ZREM', KEYS[3], ARGV[1] .. ':' .. ARGV[index])
         end
         return 1";

    /// `KEYS` sorted set; `ARGV` member, `NX` or `GT`. Puts it at the end by the time of the server in
    /// microseconds; with `NX` only if it is nowhere.
    APPEND =
        "local time = redis.call('TIME')
         local score = string.format('%.0f', time[1] * 1000000 + time[2])
         return redis.call('ZADD', KEYS[1], ARGV[2], score, ARGV[1])";

    /// `KEYS` sorted set, `ARGV` member, score. Takes it out if it was not put at the end again.
    TAKE_OUT =
        "if redis.call('ZSCORE', KEYS[1], ARGV[1]) ~= ARGV[2] then return 0 end
         return redis.call('ZREM', KEYS[1], ARGV[1])";

    /// `KEYS` by time, by end; `ARGV` subject, time, end. The later ones count.
    REVOKE = now!(),
        "local at = math.max(tonumber(ARGV[2]), tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0))
         local ends = math.max(tonumber(ARGV[3]), tonumber(redis.call('ZSCORE', KEYS[2], ARGV[1]) or 0))
         redis.call('ZADD', KEYS[1], string.format('%.0f', at), ARGV[1])
         redis.call('ZADD', KEYS[2], string.format('%.0f', ends), ARGV[1])
         local last = redis.call('ZRANGE', KEYS[2], -1, -1, 'WITHSCORES')[2]
         for _, key in ipairs(KEYS) do
             redis.call('PEXPIREAT', key, string.format('%.0f', math.max(tonumber(last), now) + 3600000))
         end
         return 1";

    /// `KEYS` by time, by end; `ARGV` since. For each: subject, time, end.
    REVOCATIONS =
        "local made = redis.call('ZRANGEBYSCORE', KEYS[1], ARGV[1], '+inf', 'WITHSCORES')
         local answer = {}
         for index = 1, #made, 2 do
             local ends = redis.call('ZSCORE', KEYS[2], made[index])
             answer[#answer + 1] = {made[index], made[index + 1], ends or made[index + 1]}
         end
         return answer";

    /// `KEYS` by time, by end; `ARGV` now, limit. How many were removed.
    EXPIRE_REVOCATIONS =
        "local over = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', ARGV[1], 'LIMIT', 0, ARGV[2])
         for _, subject in ipairs(over) do
             redis.call('ZREM', KEYS[1], subject)
             redis.call('ZREM', KEYS[2], subject)
         end
         return #over";
}
