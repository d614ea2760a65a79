// A site on next-auth 4.

import { createRequire } from 'node:module';
import { asApiRoute, serve } from './serve.mjs';
import { adapter, authorize, intoSession, intoToken, profile, sendLink } from './users.mjs';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const { default: NextAuth } = require('next-auth/next');
const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = process.env;

serve((url) => {
  process.env.NEXTAUTH_URL = url;
  return asApiRoute((req, res) => NextAuth(req, res, {
    secret: process.env.AUTH_SECRET,
    adapter,
    session: { strategy: 'jwt' },
    providers: [
      {
        id: 'credentials', type: 'credentials', name: 'Credentials',
        credentials: { username: { label: 'Username' }, password: { label: 'Password', type: 'password' } },
        authorize,
      },
      {
        id: 'oidc', type: 'oauth', name: 'OIDC', wellKnown: `${issuer}/.well-known/openid-configuration`, idToken: true,
        authorization: { params: { scope: 'openid email profile' } }, checks: ['pkce', 'state'],
        clientId, clientSecret, profile,
      },
      { id: 'email', type: 'email', name: 'Email', maxAge: 24 * 60 * 60, sendVerificationRequest: sendLink },
    ],
    callbacks: {
      jwt: ({ token, user, trigger, session }) => intoToken(token, user, trigger, session),
      session: ({ session, token }) => intoSession(session, token),
    },
  }));
});
