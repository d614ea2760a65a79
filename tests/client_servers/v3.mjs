// A site on next-auth 3.

import { createRequire } from 'node:module';
import { asApiRoute, serve } from './serve.mjs';
import { adapterV3, authorize, intoSession, intoToken, profile, sendLink } from './users.mjs';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = process.env;

serve((url) => {
  process.env.NEXTAUTH_URL = url;
  const { default: NextAuth } = require('next-auth-v3');
  return asApiRoute((req, res) => NextAuth(req, res, {
    secret: process.env.AUTH_SECRET,
    adapter: adapterV3,
    session: { jwt: true },
    providers: [
      {
        id: 'credentials', type: 'credentials', name: 'Credentials',
        credentials: { username: { label: 'Username' }, password: { label: 'Password', type: 'password' } },
        authorize,
      },
      {
        id: 'oidc', type: 'oauth', name: 'OIDC', version: '2.0', scope: 'openid email profile', idToken: true,
        protection: ['state', 'pkce'], params: { grant_type: 'authorization_code' }, clientId, clientSecret, profile,
        authorizationUrl: `${issuer}/authorize?response_type=code`, accessTokenUrl: `${issuer}/token`,
      },
      { id: 'email', type: 'email', name: 'Email', maxAge: 24 * 60 * 60, sendVerificationRequest: sendLink },
    ],
    callbacks: {
      jwt: async (token, user) => intoToken(token, user),
      session: async (session, token) => intoSession(session, token),
    },
  }));
});
