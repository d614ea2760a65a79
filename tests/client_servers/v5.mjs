// A site on `@auth/core`. As its frameworks do, it takes its origin from AUTH_URL.

import { Auth } from '../node/node_modules/@auth/core/index.js';
import { read, serve } from './serve.mjs';
import { adapter, authorize, intoSession, intoToken, profile, sendLink } from './users.mjs';

const { OIDC_ISSUER: issuer, OIDC_CLIENT_ID: clientId, OIDC_CLIENT_SECRET: clientSecret } = process.env;

const config = {
  secret: process.env.AUTH_SECRET,
  basePath: '/api/auth',
  trustHost: true,
  adapter,
  session: { strategy: 'jwt' },
  providers: [
    {
      id: 'credentials', type: 'credentials', name: 'Credentials',
      credentials: { username: { label: 'Username' }, password: { label: 'Password', type: 'password' } },
      authorize,
    },
    { id: 'oidc', type: 'oidc', name: 'OIDC', issuer, clientId, clientSecret, profile },
    { id: 'email', type: 'email', name: 'Email', maxAge: 24 * 60 * 60, sendVerificationRequest: sendLink },
  ],
  callbacks: {
    jwt: ({ token, user, trigger, session }) => intoToken(token, user, trigger, session),
    session: ({ session, token }) => intoSession(session, token),
  },
};

serve((url) => async (req, res) => {
  const hasBody = !['GET', 'HEAD'].includes(req.method);
  const request = new Request(new URL(req.url, url), {
    method: req.method,
    headers: Object.entries(req.headers).map(([name, value]) => [name, String(value)]),
    body: hasBody ? await read(req) : undefined,
  });
  const response = await Auth(request, config);
  res.statusCode = response.status;
  for (const [name, value] of response.headers) {
    if (name === 'set-cookie') res.appendHeader(name, value);
    else res.setHeader(name, value);
  }
  res.end(Buffer.from(await response.arrayBuffer()));
});
