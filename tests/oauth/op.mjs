// The certified OpenID provider of npm on loopback, for clients that authenticate in different ways. Whoever comes is
// Alice, and she agrees to whatever is asked for. Rules of OpenID Connect are left as the package has them: claims about
// the user are at the userinfo endpoint, and `offline_access` needs `prompt=consent`.

import { createPrivateKey } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import { Provider } from '../node/node_modules/oidc-provider/lib/index.js';

const { SITE, BACK_CHANNEL } = process.env;
const key = (name) => readFileSync(new URL(`../keys/${name}`, import.meta.url), 'utf8');

const alice = { sub: 'alice', name: 'Alice', email: 'alice@example.com', email_verified: true };
const ofAll = {
  redirect_uris: [`${SITE}/api/auth/callback/op`],
  post_logout_redirect_uris: [SITE],
  backchannel_logout_uri: `${BACK_CHANNEL}/api/auth/backchannel-logout/op`,
  backchannel_logout_session_required: true,
  grant_types: ['authorization_code', 'refresh_token'],
  response_types: ['code'],
};
const secret = 'secret of 100% + more';
const as = (client_id, token_endpoint_auth_method, id_token_signed_response_alg, more) =>
  ({ ...ofAll, client_id, token_endpoint_auth_method, id_token_signed_response_alg, ...more });
const clients = [
  as('basic', 'client_secret_basic', 'RS256', { client_secret: secret }),
  as('post', 'client_secret_post', 'PS256', { client_secret: secret }),
  as('key', 'private_key_jwt', 'ES256', { jwks: JSON.parse(key('jwks.json')) }),
  as('public', 'none', 'EdDSA'),
];

const server = http.createServer((req, res) => handle(req, res));
await new Promise((listens) => server.listen(0, '127.0.0.1', listens));
const issuer = `http://127.0.0.1:${server.address().port}`;

const signing = ['rsa', 'p256', 'ed25519'].map((kid) => ({
  ...createPrivateKey(key(`test-${kid}.private.pem`)).export({ format: 'jwk' }), kid, use: 'sig',
}));
const provider = new Provider(issuer, {
  clients,
  jwks: { keys: signing },
  cookies: { keys: ['of the tests'] },
  claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['name'] },
  features: { devInteractions: { enabled: false }, backchannelLogout: { enabled: true } },
  // Over within the minute in which tokens are refreshed.
  ttl: { AccessToken: 30, AuthorizationCode: 60, IdToken: 600, Interaction: 600, RefreshToken: 600, Session: 600, Grant: 600 },
  rotateRefreshToken: true,
  // By itself the package asks nobody on this machine, which is where the site is.
  fetch: (url, { dispatcher, ...options }) => fetch(url, options),
  findAccount: (_ctx, id) => ({ accountId: id, claims: () => alice }),
  interactions: { url: (_ctx, interaction) => `/interaction/${interaction.uid}` },
});
for (const failure of ['server_error', 'grant.error', 'authorization.error', 'backchannel.error', 'end_session.error']) {
  provider.on(failure, (_ctx, error) => console.log(`${failure}: ${error.message}`, error.error_detail ?? error.error_description ?? error.cause));
}

async function interaction(req, res) {
  const { prompt, params, session } = await provider.interactionDetails(req, res);
  if (prompt.name === 'login') return { login: { accountId: alice.sub } };
  const grant = new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  grant.addOIDCScope(params.scope);
  return { consent: { grantId: await grant.save() } };
}

const endpoints = provider.callback();
async function handle(req, res) {
  if (!req.url.startsWith('/interaction/')) return endpoints(req, res);
  const result = await interaction(req, res);
  return provider.interactionFinished(req, res, result, { mergeWithLastSubmission: true });
}

console.log(`open ${issuer}`);
