// Runs the conformance suite and judges what it says by conformance-pending.txt:
//
//   node tests/conformance.mjs --compat v4 --strategy jwt --server COMMAND …   (arguments of tests/conformance/run.mjs)
//
// The suite's own exit status cannot be used while some of its cases are known to
// fail. Here the run fails if a case fails that the file does not name (hardening
// cases included), if a named one passes (its line must go), if a name fits no
// case, or if the suite broke off before its last line.
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const file = (name) => fileURLToPath(new URL(name, import.meta.url));
const args = process.argv.slice(2);
const value = (option, allowed) => {
  const found = args[args.indexOf(option) + 1];
  if (args.includes(option) && allowed.includes(found)) return found;
  console.error('usage: node tests/conformance.mjs --compat v4|v5 --strategy jwt|database --server COMMAND …');
  process.exit(2);
};
const compat = value('--compat', ['v4', 'v5']);
const strategy = value('--strategy', ['jwt', 'database']);
// With a selection of cases it is no wonder that others do not turn up.
const partial = args.some((a) => /^--(only|suite|without-own)\b/.test(a));

const pending = new Set(readFileSync(file('conformance-pending.txt'), 'utf8').split('\n')
  .map((line) => line.trim())
  .filter((line) => line && !line.startsWith('#'))
  .map((line) => /^(?:\[((?:v4|v5|jwt|database|, )+)\] )?(.*)$/.exec(line)) // not [hardening], which is part of a name
  .filter(([, only]) => !only || only.split(', ').every((word) => [compat, strategy].includes(word)))
  .map(([, , name]) => name));

const seen = { 'ok  ': [], FAIL: [], skip: [] };
const reasons = new Map();
let counted = 0;
let finished = false;
/** Takes in one line as tests/conformance/lib/reporter.mjs prints it. */
function read(line) {
  const row = /^  (ok  |FAIL|skip)  (.*)  (?:\d+ ms|\((.*)\))$/.exec(line);
  if (row) {
    const [, kind, name, reason] = row;
    seen[kind].push(name);
    if (kind === 'skip') reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
  }
  const total = /^(hardening: )?(\d+) passed, (\d+) failed, (\d+) skipped$/.exec(line);
  if (total) counted += Number(total[2]) + Number(total[3]) + Number(total[4]);
  if (total && !total[1]) finished = true;
}

const suite = spawn(process.execPath, [file('conformance/run.mjs'), ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
// A signal ends the suite too, which then stops the servers it started.
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => suite.kill(signal));
let rest = '';
suite.stdout.setEncoding('utf8');
suite.stdout.on('data', (text) => {
  process.stdout.write(text);
  const lines = (rest + text).split('\n');
  rest = lines.pop();
  lines.forEach(read);
});
await new Promise((done) => suite.on('close', done));
read(rest);

const rows = seen['ok  '].length + seen.FAIL.length + seen.skip.length;
const problems = [];
const complain = (what, names) => names.forEach((name) => problems.push(`${what}: ${name}`));
complain('failed', seen.FAIL.filter((name) => !pending.has(name)));
complain('passes now, so remove its line from tests/conformance-pending.txt', seen['ok  '].filter((name) => pending.has(name)));
if (!partial && finished) {
  const all = new Set(Object.values(seen).flat());
  complain('named in tests/conformance-pending.txt, but there is no such case', [...pending].filter((name) => !all.has(name)));
}
if (!finished) problems.push('the suite broke off before its last line');
else if (rows !== counted) problems.push(`${rows} cases were read, but the suite counted ${counted}: its output has changed`);
else if (!seen['ok  '].length) problems.push('no case passed');

console.log(`\nconformance ${compat}, ${strategy}: ${seen['ok  '].length} passed, ${seen.FAIL.length} failed (${seen.FAIL.filter((name) => pending.has(name)).length} of them pending), ${seen.skip.length} left out`);
for (const [reason, n] of reasons) console.log(`  left out: ${n} (${reason})`);
for (const problem of problems) console.log(`  WRONG: ${problem}`);
process.exit(problems.length ? 1 : 0);
