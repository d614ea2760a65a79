// gRPC-Web from Chromium, with the official client, against the example tonic:
//
//   TONIC=path/to/tonic node --test tests/browser/grpc.test.mjs
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { play, startStage } from './stage.mjs';

assert.ok(process.env.TONIC, 'TONIC names the program to test: cargo build --example tonic --features tonic');

describe('gRPC-Web', () => {
  let stage;
  let spa;
  before(async () => {
    stage = await startStage({ command: `'${process.env.TONIC}'` });
    spa = `${stage.origin}/spa/grpc/`;
  });
  after(() => stage?.close());

  const check = (name, scene) => test(name, { timeout: 30000 }, () => play(stage, {}, scene));
  const open = async (page) => {
    await page.goto(spa);
    await page.waitForFunction(() => !!window.grpc);
  };
  const call = (page, name, ...args) => page.evaluate(([n, a]) => window.grpc[n](...a), [name, args]);
  const login = async (page) => {
    await page.goto(`${stage.origin}/api/auth/signin?callbackUrl=/spa/grpc/`);
    await page.getByLabel('Username').fill('jsmith');
    await page.getByLabel('Password').fill('hunter2');
    await page.getByLabel('Password').press('Enter');
    await page.waitForURL(spa);
    await page.waitForFunction(() => !!window.grpc);
  };
  const nobody = { code: 16, message: 'sign in first' };

  for (const format of ['text', 'binary']) {
    check(`${format}: a visitor is refused, whoever signed in is greeted`, async ({ page }) => {
      await open(page);
      assert.deepEqual(await call(page, 'unary', format, 'Greet', 'hello'), nobody);
      await login(page);
      assert.match(await call(page, 'unary', format, 'Greet', 'hello'), /J Smith/);
    });
  }

  check('a stream of replies, and its status', async ({ page }) => {
    await open(page);
    assert.deepEqual((await call(page, 'stream', 'Repeat', 'again')).at(-1), nobody);
    await login(page);
    const said = await call(page, 'stream', 'Repeat', 'again');
    assert.ok(said.filter((reply) => typeof reply === 'string').length > 1, JSON.stringify(said));
    assert.deepEqual(said.at(-1), { status: 0 });
  });

  check('after the sign-out page the session is over', async ({ page }) => {
    await login(page);
    await page.goto(`${stage.origin}/api/auth/signout`);
    await page.getByRole('button', { name: /sign out/i }).click();
    await page.waitForURL((url) => !url.pathname.startsWith('/api/auth'));
    await open(page);
    assert.deepEqual(await call(page, 'unary', 'binary', 'Greet', 'hello'), nobody);
  });

  check('on the wire: trailers end the body, a refusal is in the headers alone', async ({ page }) => {
    await open(page);
    const refused = await call(page, 'raw', 'Greet', 'hello');
    assert.equal(refused.status, 200);
    assert.equal(refused.headers['content-type'], 'application/grpc-web+proto');
    assert.equal(refused.headers['grpc-status'], '16');
    assert.deepEqual(refused.frames, []);
    await login(page);
    const { status, headers, frames: [reply, trailers, ...rest] } = await call(page, 'raw', 'Greet', 'hello');
    assert.equal(status, 200);
    assert.equal(headers['grpc-status'], undefined);
    assert.match(reply, /J Smith/);
    assert.match(trailers, /^grpc-status:\s*0\r\n/);
    assert.deepEqual(rest, []);
  });
});
