// A server of Node, and what next-auth takes from one of Next.js.

import http from 'node:http';

/**
 * Listens on a free port and says where. `make` is given the URL that the site is known by, AUTH_URL unless that is not
 * set, and answers what serves requests.
 */
export function serve(make) {
  let handle;
  const server = http.createServer((req, res) => {
    Promise.resolve(handle(req, res)).catch((error) => {
      console.error(error);
      res.statusCode = 500;
      res.end();
    });
  });
  server.listen(0, '127.0.0.1', () => {
    const address = `http://127.0.0.1:${server.address().port}`;
    handle = make(process.env.AUTH_URL || address);
    console.log(`open ${address}`);
  });
}

export async function read(req) {
  const parts = [];
  for await (const part of req) parts.push(part);
  return Buffer.concat(parts);
}

/** Makes of `(req, res)` of Node what an API route of Next.js is given, for the path `/api/auth/[...nextauth]`. */
export function asApiRoute(route) {
  return async (req, res) => {
    const url = new URL(req.url, 'http://host');
    const nextauth = url.pathname.split('/').slice(3).map(decodeURIComponent);
    req.query = { ...Object.fromEntries(url.searchParams), nextauth };
    req.cookies = cookies(req.headers.cookie ?? '');
    req.body = body(req.headers['content-type'] ?? '', (await read(req)).toString());
    res.status = (status) => ((res.statusCode = status), res);
    res.json = (value) => {
      res.setHeader('Content-Type', 'application/json; charset=utf-8');
      res.end(JSON.stringify(value));
    };
    res.send = (value) => (typeof value === 'object' && value !== null ? res.json(value) : res.end(value));
    return route(req, res);
  };
}

function cookies(header) {
  const pairs = header.split(/; */).filter((pair) => pair.includes('='));
  return Object.fromEntries(pairs.map((pair) => {
    const at = pair.indexOf('=');
    return [pair.slice(0, at), decodeURIComponent(pair.slice(at + 1))];
  }));
}

/** As the body parser of Next.js does, which refuses JSON that is none. */
function body(type, text) {
  if (type.startsWith('application/json')) return text ? JSON.parse(text) : {};
  if (type.startsWith('application/x-www-form-urlencoded')) return Object.fromEntries(new URLSearchParams(text));
  return text;
}
