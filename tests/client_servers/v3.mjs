// A site on next-auth 3.

import { createRequire } from 'node:module';
import { asApiRoute, serve } from './serve.mjs';
import { adapterV3, credentials, email, intoSession, intoToken, issuer, oidc } from './users.mjs';

const require = createRequire(new URL('../node/package.json', import.meta.url));

serve((url) => {
  process.env.NEXTAUTH_URL = url;
  const { default: NextAuth } = require('next-auth-v3');
  return asApiRoute((req, res) => NextAuth(req, res, {
    secret: process.env.AUTH_SECRET,
    adapter: adapterV3,
    session: { jwt: true },
    providers: [
      credentials,
      {
        ...oidc, type: 'oauth', version: '2.0', scope: 'openid email profile', idToken: true,
        protection: ['state', 'pkce'], params: { grant_type: 'authorization_code' },
        authorizationUrl: `${issuer}/authorize?response_type=code`, accessTokenUrl: `${issuer}/token`,
      },
      email,
    ],
    callbacks: {
      jwt: async (token, user) => intoToken(token, user),
      session: async (session, token) => intoSession(session, token),
    },
  }));
});
