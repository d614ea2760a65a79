// The client of next-auth 3, unmodified, against the example demo in the dialects v3 and v4:
//
//   DEMO=path/to/demo node --test tests/browser/v3.test.mjs
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { play, startStage } from './stage.mjs';

const DAY = 86400;
const SESSION = 'next-auth.session-token';
const GET_SESSION = 'GET /api/auth/session';
const good = { username: 'jsmith', password: 'hunter2' };
const wrong = { ...good, password: 'wrong' };
const now = () => Date.now() / 1000;

assert.ok(process.env.DEMO, 'DEMO names the program to test: cargo build --example demo');

function suite(dialect, { parts, absent }) {
  let stage;
  let spa;
  before(async () => {
    stage = await startStage({ command: `'${process.env.DEMO}'`, env: { AUTH_COMPAT: dialect } });
    spa = `${stage.origin}/spa/v3/`;
  });
  after(() => stage?.close());

  function check(name, options, scene) {
    if (typeof options === 'function') [options, scene] = [{}, options];
    test(name, { timeout: 30000 }, () => play(stage, options, scene));
  }

  const status = (page, want) => page.waitForFunction((w) => document.getElementById('status')?.textContent === w, want);
  const states = (page) => page.evaluate(() => window.__states.map((s) => s.status));
  const open = async (page, query = '') => {
    await page.goto(spa + query);
    await page.waitForFunction(() => !!window.auth);
  };
  /**
   * Opens the page as a visitor whom the server knows. One that it does not know, and who asks two things at once, is given
   * two CSRF tokens, of which the later cookie stays: what is posted with the other token is refused.
   */
  const arrive = async (page, query = '') => {
    await open(page, query);
    await status(page, 'unauthenticated');
  };
  const call = (page, name, ...args) => page.evaluate(([n, a]) => window.auth[n](...a), [name, args]);
  /** A call that leads the page elsewhere, and so never returns. */
  const leave = (page, url, name, ...args) => Promise.all([
    page.waitForURL(url),
    page.evaluate(([n, a]) => { window.auth[n](...a); }, [name, args]),
  ]);
  /** Opens the page signed in; not through the page, which would load it twice. */
  const login = async (page, query = '') => {
    const { request } = page.context();
    const { csrfToken } = await (await request.get(`${stage.origin}/api/auth/csrf`)).json();
    const form = { ...good, csrfToken, callbackUrl: spa, json: 'true' };
    assert.equal((await request.post(`${stage.origin}/api/auth/callback/credentials`, { form })).status(), 200);
    await open(page, query);
    await status(page, 'authenticated');
  };
  const sessionCookie = async (context) => (await context.cookies(stage.origin)).find((c) => c.name === SESSION);
  const focus = (page) => page.evaluate(() => document.dispatchEvent(new Event('visibilitychange')));
  /** Once this round trip is over, a request that an event before it began has been counted. */
  const settled = (page) => call(page, 'getCsrfToken');
  /** Waits until useSession shows what another GET /session answered: its `expires` is new each time. */
  const renewed = async (page, cause) => {
    const shown = await page.textContent('#session');
    await cause();
    await page.waitForFunction((old) => document.getElementById('session').textContent !== old, shown);
  };
  const fillForm = async (page, { username, password }) => {
    await page.getByLabel('Username').fill(username);
    await page.getByLabel('Password').fill(password);
    await page.getByLabel('Password').press('Enter');
  };

  check('a visitor: loading, then nobody', async ({ page, count }) => {
    await open(page);
    await status(page, 'unauthenticated');
    assert.deepEqual(await states(page), ['loading', 'unauthenticated']);
    assert.equal(count(GET_SESSION), 1);
    assert.equal(await call(page, 'getSession'), null);
  });

  check('getCsrfToken and getProviders', async ({ page, context }) => {
    await arrive(page);
    const token = await call(page, 'getCsrfToken');
    const cookie = (await context.cookies(stage.origin)).find((c) => c.name === 'next-auth.csrf-token');
    assert.equal(decodeURIComponent(cookie.value).split('|')[0], token);
    const base = `${stage.origin}/api/auth`;
    assert.deepEqual(await call(page, 'getProviders'), {
      credentials: { id: 'credentials', name: 'Credentials', type: 'credentials', signinUrl: `${base}/signin/credentials`, callbackUrl: `${base}/callback/credentials` },
    });
  });

  check('signIn, redirect false: the result, and useSession follows', async ({ page }) => {
    await arrive(page);
    const result = await call(page, 'signIn', 'credentials', { redirect: false, callbackUrl: '/after', ...good });
    assert.deepEqual(result, { error: null, status: 200, ok: true, url: `${stage.origin}/after` });
    await status(page, 'authenticated');
    assert.equal(await page.textContent('#user'), 'jsmith@example.com');
    assert.equal(page.url(), spa);
  });

  check('signIn, redirect false, wrong password', async ({ page, context }) => {
    await arrive(page);
    const result = await call(page, 'signIn', 'credentials', { redirect: false, ...wrong });
    assert.deepEqual(result, { error: 'CredentialsSignin', status: 401, ok: false, url: null });
    await status(page, 'unauthenticated');
    assert.equal(await sessionCookie(context), undefined);
  });

  check('signIn, redirect false, the check itself fails', async ({ page }) => {
    await arrive(page);
    const result = await call(page, 'signIn', 'credentials', { redirect: false, username: 'boom', password: 'x' });
    assert.deepEqual(result, { error: 'Configuration', status: 401, ok: false, url: null });
  });

  check('signIn with redirect lands on callbackUrl', async ({ page }) => {
    await arrive(page);
    await leave(page, `${stage.origin}/protected?x=1`, 'signIn', 'credentials', { callbackUrl: '/protected?x=1', ...good });
    assert.match(await page.textContent('body'), /jsmith@example\.com/);
  });

  check('signIn without callbackUrl comes back, also to a fragment', async ({ page }) => {
    await arrive(page, '?mark=1#part');
    await Promise.all([page.waitForEvent('load'), page.evaluate((g) => { window.auth.signIn('credentials', g); }, good)]);
    await status(page, 'authenticated');
    assert.equal(page.url(), `${spa}?mark=1#part`);
  });

  check('signIn with redirect and a wrong password leads over the error page to the sign-in page', async ({ page }) => {
    await arrive(page);
    await Promise.all([
      page.waitForRequest('**/api/auth/error?*'),
      leave(page, /\/api\/auth\/signin\?/, 'signIn', 'credentials', wrong),
    ]);
    assert.equal(new URL(page.url()).searchParams.get('error'), 'CredentialsSignin');
    assert.match(await page.textContent('body'), /Sign in failed/);
  });

  check('signIn with redirect shows that the check failed, and not why', async ({ page }) => {
    await arrive(page);
    await leave(page, /\/api\/auth\/error\?/, 'signIn', 'credentials', { username: 'boom', password: 'x' });
    assert.match(await page.textContent('body'), /problem with the server configuration/);
    assert.doesNotMatch(await page.content(), /internal failure/);
  });

  check('signIn to a foreign callbackUrl stays here', async ({ page }) => {
    await arrive(page);
    await leave(page, `${stage.origin}/`, 'signIn', 'credentials', { callbackUrl: 'https://evil.example/', ...good });
  });

  check('signIn without a provider, and with an unknown one, opens the sign-in page', async ({ page }) => {
    for (const [provider, options, back] of [[undefined, undefined, spa], ['nothing', { callbackUrl: '/x' }, '/x']]) {
      await open(page);
      await leave(page, /\/api\/auth\/signin\?/, 'signIn', provider, options);
      assert.equal(new URL(page.url()).searchParams.get('callbackUrl'), back);
      assert.ok(await page.getByLabel('Username').isVisible());
    }
  });

  check('a page for members sends a visitor to sign in, and gets him back', async ({ page }) => {
    await page.goto(`${spa}?page=members`);
    await page.waitForURL(/\/api\/auth\/signin\?/);
    await fillForm(page, good);
    await page.waitForURL(`${spa}?page=members`);
    await status(page, 'authenticated');
  });

  check('a custom sign-in page made from getProviders', async ({ page }) => {
    await page.goto(`${spa}?page=signin&callbackUrl=/protected`);
    await fillForm(page, wrong);
    assert.equal(await page.getByRole('alert').textContent(), 'CredentialsSignin');
    await fillForm(page, good);
    await page.waitForURL(`${stage.origin}/protected`);
  });

  check('the session of useSession and getSession', async ({ page }) => {
    await login(page);
    assert.deepEqual(await states(page), ['loading', 'authenticated']);
    const { user, expires } = await call(page, 'getSession');
    assert.deepEqual(user, { name: 'J Smith', email: 'jsmith@example.com', ...absent, id: '1', role: 'user' });
    assert.deepEqual(JSON.parse(await page.textContent('#session')).user, user);
    assert.equal(new Date(expires).toISOString(), expires);
    assert.ok(Math.abs(Date.parse(expires) / 1000 - now() - 30 * DAY) < 60);
  });

  check('useSession without a Provider', async ({ page }) => {
    await login(page, '?page=alone');
    assert.deepEqual(await states(page), ['loading', 'authenticated']);
  });

  check('a Provider with a session shows it at once, and asks', async ({ page }) => {
    await open(page, '?initial=1');
    await status(page, 'unauthenticated');
    assert.deepEqual(await states(page), ['authenticated', 'unauthenticated']);
  });

  check('the session cookie: its token, and what scripts see of it', async ({ page, context }) => {
    await login(page);
    const cookie = await sessionCookie(context);
    assert.equal(cookie.value.split('.').length, parts);
    assert.equal(cookie.httpOnly, true);
    assert.equal(cookie.sameSite, 'Lax');
    assert.ok(Math.abs(cookie.expires - now() - 30 * DAY) < 60);
    assert.doesNotMatch(await page.evaluate(() => document.cookie), /session-token/);
  });

  check('GET /session prolongs the cookie', async ({ page, context }) => {
    await login(page);
    await context.addCookies([{ ...await sessionCookie(context), expires: now() + 600 }]);
    assert.ok((await sessionCookie(context)).expires < now() + 660);
    await call(page, 'getSession');
    assert.ok(Math.abs((await sessionCookie(context)).expires - now() - 30 * DAY) < 60);
  });

  check('a reload keeps the session', async ({ page }) => {
    await login(page);
    await page.reload();
    await status(page, 'authenticated');
    assert.deepEqual(await states(page), ['loading', 'authenticated']);
  });

  check('a token that is none is nobody, and is removed', async ({ page, context }) => {
    await login(page);
    const cookie = await sessionCookie(context);
    await context.addCookies([{ ...cookie, value: `${cookie.value}A` }]);
    await page.reload();
    await status(page, 'unauthenticated');
    assert.equal(await sessionCookie(context), undefined);
  });

  check('signOut, redirect false: useSession follows', async ({ page, context }) => {
    await login(page);
    const result = await call(page, 'signOut', { redirect: false, callbackUrl: '/bye' });
    assert.deepEqual(result, { url: `${stage.origin}/bye` });
    await status(page, 'unauthenticated');
    assert.equal(page.url(), spa);
    assert.equal(await sessionCookie(context), undefined);
  });

  check('signOut with redirect lands on callbackUrl', async ({ page, context }) => {
    await login(page);
    await leave(page, `${spa}?out=1`, 'signOut', { callbackUrl: `${spa}?out=1` });
    await status(page, 'unauthenticated');
    assert.equal(await sessionCookie(context), undefined);
  });

  check('two tabs: signing out in one is seen in the other', async ({ page, context }) => {
    await login(page);
    const other = await context.newPage();
    await open(other);
    await status(other, 'authenticated');
    await call(page, 'signOut', { redirect: false });
    await status(other, 'unauthenticated');
    const last = (await other.evaluate(() => window.__messages)).at(-1);
    assert.equal(last.event, 'session');
    assert.deepEqual(last.data, { trigger: 'signout' });
  });

  check('two tabs: signing in in one is seen in the other', async ({ page, context }) => {
    await context.clock.install();
    await arrive(page);
    const other = await context.newPage();
    await arrive(other);
    // Messages carry the time in seconds, and one that equals the last is no change to localStorage.
    await context.clock.runFor(2000);
    await leave(page, `${spa}?in=1`, 'signIn', 'credentials', { callbackUrl: `${spa}?in=1`, ...good });
    await status(page, 'authenticated');
    await status(other, 'authenticated');
    assert.deepEqual((await other.evaluate(() => window.__messages)).at(-1).data, { trigger: 'getSession' });
  });

  check('keepAlive asks in its interval, again and again', async ({ page, context, count }) => {
    await context.clock.install();
    await login(page, '?keepAlive=600');
    for (let round = 0; round < 3; round += 1) {
      const before = count(GET_SESSION);
      await context.clock.runFor(500_000);
      await settled(page);
      assert.equal(count(GET_SESSION), before, 'not before its time');
      await renewed(page, () => context.clock.runFor(100_000));
      assert.equal(count(GET_SESSION), before + 1);
    }
  });

  check('keepAlive notices a session that ended elsewhere', async ({ page, context, count }) => {
    await context.clock.install();
    await login(page, '?keepAlive=600');
    await context.clearCookies({ name: SESSION });
    await context.clock.runFor(600_000);
    await status(page, 'unauthenticated');
    const before = count(GET_SESSION);
    await context.clock.runFor(600_000);
    await settled(page);
    assert.equal(count(GET_SESSION), before, 'nobody is not asked for again');
  });

  check('clientMaxAge: focus asks, but only after that age', async ({ page, context, count }) => {
    await context.clock.install();
    await login(page, '?clientMaxAge=600');
    for (let round = 0; round < 2; round += 1) {
      const before = count(GET_SESSION);
      await context.clock.runFor(500_000);
      await focus(page);
      await settled(page);
      assert.equal(count(GET_SESSION), before, 'not before its time');
      await context.clock.runFor(100_000);
      await renewed(page, () => focus(page));
      assert.equal(count(GET_SESSION), before + 1);
    }
  });

  check('without clientMaxAge each focus asks', async ({ page, count }) => {
    await login(page);
    const before = count(GET_SESSION);
    await renewed(page, () => focus(page));
    await renewed(page, () => focus(page));
    assert.equal(count(GET_SESSION), before + 2);
  });

  check('what the client reports to _log is taken', { logs: 1 }, async ({ page }) => {
    await arrive(page);
    await page.route('**/api/auth/session', (route) => route.fulfill({ status: 500, json: { message: 'x' } }));
    const [answer, session] = await Promise.all([page.waitForResponse('**/api/auth/_log'), call(page, 'getSession')]);
    assert.equal(session, null);
    assert.equal(answer.status(), 200);
    assert.match(answer.request().postData(), /level=error&code=CLIENT_FETCH_ERROR&message=/);
  });

  check('signIn without a list of providers shows the error page', { logs: 1 }, async ({ page }) => {
    await arrive(page);
    await page.route('**/api/auth/providers', (route) => route.fulfill({ status: 500, json: {} }));
    await leave(page, `${stage.origin}/api/auth/error`, 'signIn', 'credentials', good);
    assert.equal(await page.title(), 'Error');
  });

  check('error pages: status, text, and the way back to sign in', async ({ page }) => {
    const cases = [['Configuration', 500, /server configuration/], ['AccessDenied', 403, /permission to sign in/], ['Verification', 403, /no longer valid/], ['Own', 200, /Error/]];
    for (const [code, expected, text] of cases) {
      const answer = await page.goto(`${stage.origin}/api/auth/error?error=${code}`);
      assert.equal(answer.status(), expected, code);
      assert.match(await page.textContent('body'), text);
    }
    await page.goto(`${stage.origin}/api/auth/error?error=AccessDenied`);
    await page.getByRole('link', { name: 'Sign in' }).click();
    await page.waitForURL(/\/api\/auth\/signin/);
    assert.ok(await page.getByLabel('Username').isVisible());
  });

  check('the built-in sign-out page', async ({ page }) => {
    await login(page);
    await page.goto(`${stage.origin}/api/auth/signout`);
    await page.getByRole('button', { name: /sign out/i }).click();
    await page.waitForURL(spa); // the last callbackUrl, from its cookie
    await status(page, 'unauthenticated');
  });
}

describe('next-auth 3 client', { concurrency: true }, () => {
  // A v3 token is a JWS of three parts, and v3 writes null where v4 leaves a member out.
  describe('dialect v3', { concurrency: 1 }, () => suite('v3', { parts: 3, absent: { image: null } }));
  describe('dialect v4', { concurrency: 1 }, () => suite('v4', { parts: 5, absent: {} }));
});
