// Lets the npm database adapters work on a database that the Rust tests use as well:
//
//   node peer.mjs --pg URL                     @auth/pg-adapter
//   node peer.mjs --redis URL --prefix TEXT    @auth/upstash-redis-adapter, with TEXT in front of its keys
//
// Reads one JSON object a line and answers each with one JSON line, in order:
//   {"method":"createUser","args":[{"name":…}]}  ->  {"result":…}, or {"error":…}
// A method is one of the adapter, or `raw` with what the database's own client takes: [SQL, [parameters]] or the
// words of a Redis command. Dates are ISO texts in both directions. Ends with its input.
import { parseArgs } from 'node:util';
import PostgresAdapter from '@auth/pg-adapter';
import { UpstashRedisAdapter } from '@auth/upstash-redis-adapter';
import { Redis } from '@upstash/redis';
import pg from 'pg';
import { createClient } from 'redis';

const { values: options } = parseArgs({
  options: { pg: { type: 'string' }, redis: { type: 'string' }, prefix: { type: 'string', default: '' } },
});

/** The members that the adapters are given as a Date. */
const dates = new Set(['emailVerified', 'expires']);
const revive = (name, value) => (dates.has(name) && typeof value === 'string' ? new Date(value) : value);

function overPostgres(url) {
  const pool = new pg.Pool({ connectionString: url });
  pool.on('error', () => {}); // of an idle connection: the next query says it
  return {
    ...PostgresAdapter(pool),
    raw: async (sql, parameters) => (await pool.query(sql, parameters)).rows,
    close: () => pool.end(),
  };
}

async function overRedis(url, baseKeyPrefix) {
  const client = createClient({ url });
  client.on('error', () => {});
  await client.connect();
  // Upstash's own client, so that what it makes of values is real; only the way to the server is another one.
  const upstash = new Redis({
    request: async ({ body }) => ({ result: await client.sendCommand(body.map(String)) }),
  });
  return {
    ...UpstashRedisAdapter(upstash, { baseKeyPrefix }),
    raw: (...words) => client.sendCommand(words),
    close: () => client.close(),
  };
}

const adapter = options.pg ? overPostgres(options.pg) : await overRedis(options.redis, options.prefix);

async function answer(line) {
  const { method, args } = JSON.parse(line, revive);
  if (typeof adapter[method] !== 'function') throw new Error(`no method ${method}`);
  return { result: await adapter[method](...args) };
}

async function reply(line) {
  const value = await answer(line).catch((e) => ({ error: `${e.name}: ${e.message}` }));
  process.stdout.write(`${JSON.stringify(value)}\n`);
}

// Not node:readline: it also breaks lines at U+2028, which JSON text may hold as it is.
let rest = '';
process.stdin.setEncoding('utf8');
for await (const chunk of process.stdin) {
  const lines = (rest + chunk).split('\n');
  rest = lines.pop();
  for (const line of lines) await reply(line);
}
await adapter.close();
