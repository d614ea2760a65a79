// Several sign-ins at once in one Chromium, against the example oauth and the providers that it brings:
//
//   OAUTH=path/to/oauth node --test tests/browser/oauth.test.mjs
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { chromium } from 'playwright-core';
import { freePort, startServer } from '../conformance/lib/server.mjs';

assert.ok(process.env.OAUTH, 'OAUTH names the program to test: cargo build --example oauth --features oauth');

describe('tabs', () => {
  let server;
  let browser;
  let origin;
  before(async () => {
    const port = await freePort();
    origin = `http://127.0.0.1:${port}`;
    server = await startServer(`'${process.env.OAUTH}'`, { PORT: String(port) });
    browser = await chromium.launch({ executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium', args: ['--no-sandbox', '--disable-gpu'] });
  });
  after(async () => {
    await browser?.close();
    await server?.stop();
  });

  const check = (name, scene) => test(name, { timeout: 30000 }, async () => {
    const context = await browser.newContext({ locale: 'en-GB' });
    context.setDefaultTimeout(10000);
    try {
      await scene(context);
    } finally {
      await context.close();
    }
  });
  /** As far as the provider's own page. */
  const begin = async (context, provider) => {
    const page = await context.newPage();
    await page.goto(`${origin}/api/auth/signin`);
    await page.getByRole('button', { name: `Sign in with ${provider}` }).click();
    await page.getByRole('heading', { name: `Who are you at ${provider}?` }).waitFor();
    return page;
  };
  const finish = async (page, name) => {
    await page.getByRole('link', { name: `I am ${name}` }).click();
    await page.waitForURL(`${origin}/`);
    return page.locator('p').first().textContent();
  };

  check('three tabs sign in at the same time through different providers', async (context) => {
    const providers = ['Acorn', 'Birch', 'Cedar'];
    const pages = await Promise.all(providers.map((provider) => begin(context, provider)));
    const said = await Promise.all(pages.map((page) => finish(page, 'Alice')));
    assert.deepEqual(said, providers.map(() => 'You are Alice.'));
  });

  check('three tabs sign in through one provider, the last one first', async (context) => {
    const pages = [];
    for (let n = 0; n < 3; n += 1) pages.push(await begin(context, 'Birch'));
    for (const page of pages.reverse()) assert.equal(await finish(page, 'Bob'), 'You are Bob.');
  });

  check('a tab that goes back to the provider and on once more is not signed in by the old answer', async (context) => {
    const page = await begin(context, 'Acorn');
    const answer = await page.getByRole('link', { name: 'I am Alice' }).getAttribute('href');
    await finish(page, 'Alice');
    await page.goto(answer);
    assert.match(page.url(), /error=OAuthCallback/);
  });
});
