// Makes and opens session tokens with the npm packages' own code, so that the
// Rust tests can hold their tokens against the real ones.
//
// Reads one JSON object a line and answers each with one JSON line, in order:
//   {"op":"encode","version":"v3|v4|v5","secret":…,"salt":…,"claims":{…},"maxAge":n}  ->  {"token":…}
//   {"op":"decode","version":…,"secret":…,"salt":…,"token":…}                          ->  {"claims":…}
//   {"op":"keys","algorithms":["RS256",…]}  ->  {"keys":[…]}: a new key set, with the algorithms' names as kid
//   {"op":"sign","algorithm":…,"claims":{…}}  ->  {"token":…}: signed with the key of that set
// or {"error":…}. The salt is the cookie name in v5, empty for sessions in v4; v3 has none.
// Optional: "now" (Unix seconds) is the time the package sees; "encryption": true is v3's setting.
import { createRequire } from 'node:module';
import { SignJWT, exportJWK, generateKeyPair } from 'jose';
import * as v5 from '@auth/core/jwt';

const require = createRequire(import.meta.url);
const packages = { v3: require('next-auth-v3/jwt'), v4: require('next-auth/jwt'), v5 };

const RealDate = Date;
/** The packages take no clock, so the time they see is set on the Date they call. */
function setClock(seconds) {
  if (seconds === undefined) {
    globalThis.Date = RealDate;
    return;
  }
  globalThis.Date = class extends RealDate {
    constructor(...args) { super(...(args.length ? args : [seconds * 1000])); }
    static now() { return seconds * 1000; }
  };
}

/** Private keys by algorithm, of the last set that was asked for. */
const signers = {};

async function keySet(algorithms) {
  return Promise.all(algorithms.map(async (alg) => {
    const { publicKey, privateKey } = await generateKeyPair(alg);
    signers[alg] = privateKey;
    return { ...await exportJWK(publicKey), kid: alg, alg, use: 'sig' };
  }));
}

async function answer(line) {
  const { op, version, claims, token, now, ...options } = JSON.parse(line);
  const { algorithm: alg } = options;
  if (op === 'keys') return { keys: await keySet(options.algorithms) };
  if (op === 'sign') {
    return { token: await new SignJWT(claims).setProtectedHeader({ alg, kid: alg, typ: 'JWT' }).sign(signers[alg]) };
  }
  const jwt = packages[version];
  if (!jwt) throw new Error(`unknown version ${version}`);
  setClock(now);
  if (op === 'encode') return { token: await jwt.encode({ token: claims, ...options }) };
  if (op === 'decode') return { claims: await jwt.decode({ token, ...options }) };
  throw new Error(`unknown op ${op}`);
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
if (rest) await reply(rest);
