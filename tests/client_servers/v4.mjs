// A site on next-auth 4.

import { createRequire } from 'node:module';
import { asApiRoute, serve } from './serve.mjs';
import { adapter, callbacks, credentials, email, issuer, oidc } from './users.mjs';

const require = createRequire(new URL('../node/package.json', import.meta.url));
const { default: NextAuth } = require('next-auth/next');

serve((url) => {
  process.env.NEXTAUTH_URL = url;
  return asApiRoute((req, res) => NextAuth(req, res, {
    secret: process.env.AUTH_SECRET,
    adapter,
    session: { strategy: 'jwt' },
    providers: [
      credentials,
      {
        ...oidc, type: 'oauth', wellKnown: `${issuer}/.well-known/openid-configuration`, idToken: true,
        authorization: { params: { scope: 'openid email profile' } }, checks: ['pkce', 'state'],
      },
      email,
    ],
    callbacks,
  }));
});
