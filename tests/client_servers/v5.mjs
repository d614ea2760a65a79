// A site on `@auth/core`. As its frameworks do, it takes its origin from AUTH_URL.

import { Auth } from '../node/node_modules/@auth/core/index.js';
import { read, serve } from './serve.mjs';
import { adapter, callbacks, credentials, email, issuer, oidc } from './users.mjs';

const config = {
  secret: process.env.AUTH_SECRET,
  basePath: '/api/auth',
  trustHost: true,
  adapter,
  session: { strategy: 'jwt' },
  providers: [credentials, { ...oidc, type: 'oidc', issuer }, email],
  callbacks,
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
