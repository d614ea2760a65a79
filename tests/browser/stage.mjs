// The example demo in one dialect, the page in front of it at the same origin, and Chromium.
import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';
import { startProxy } from '../conformance/lib/proxy.mjs';
import { freePort, startServer } from '../conformance/lib/server.mjs';

const here = dirname(fileURLToPath(import.meta.url));

export async function startStage({ command, env = {} }) {
  const work = mkdtempSync(join(tmpdir(), 'portcullis-browser-'));
  const closers = [() => rmSync(work, { recursive: true, force: true })];
  const close = async () => { for (const end of closers.reverse()) await end(); };
  try {
    const port = await freePort();
    const front = await startProxy({ port, roots: [here], work, withSpa: true });
    closers.push(() => front.close());
    const secret = randomBytes(24).toString('base64url');
    const server = await startServer(command, { PORT: String(port), AUTH_URL: front.origin, AUTH_SECRET: secret, ...env });
    closers.push(() => server.stop());
    const browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
    closers.push(() => browser.close());
    return { origin: front.origin, browser, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Runs one case in a browser context of its own. It fails for a script error on any page, and for
 * anything that a client reports to `_log`, unless the case is about that.
 */
export async function play({ browser }, { logs = 0 }, scene) {
  const context = await browser.newContext({ locale: 'en-GB' });
  context.setDefaultTimeout(10000);
  const errors = [];
  const requests = [];
  context.on('weberror', (e) => errors.push(String(e.error())));
  context.on('request', (r) => requests.push(`${r.method()} ${new URL(r.url()).pathname}`));
  const count = (request) => requests.filter((r) => r === request).length;
  try {
    await scene({ page: await context.newPage(), context, count });
    assert.deepEqual(errors, [], 'no script errors');
    assert.equal(count('POST /api/auth/_log'), logs, 'reports of the client');
  } finally {
    await context.close();
  }
}
