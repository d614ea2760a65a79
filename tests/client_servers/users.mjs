// The people of a site, which are forgotten when it ends, and who may sign in: as `examples/demo.rs` has it.

function authorize({ username, password }) {
  if (password !== 'hunter2') return null;
  if (username === 'jsmith') return { id: '1', name: 'J Smith', email: 'jsmith@example.com', role: 'user' };
  if (username === 'admin') return { id: '2', name: 'Admin', email: 'admin@example.com', role: 'admin' };
  return null;
}

/** What the token remembers: id and role of the user, and a new name when the client asks for one. */
export function intoToken(token, user, trigger, data) {
  if (user) {
    token.id = user.id;
    token.role = user.role ?? 'user';
  }
  if (trigger === 'update' && typeof data?.name === 'string') token.name = data.name;
  return token;
}

/** What clients see of it. */
export function intoSession(session, token) {
  session.user.id = token.id;
  session.user.role = token.role;
  return session;
}

/** Callbacks of next-auth 4 and `@auth/core`. */
export const callbacks = {
  jwt: ({ token, user, trigger, session }) => intoToken(token, user, trigger, session),
  session: ({ session, token }) => intoSession(session, token),
};

export const credentials = {
  id: 'credentials', type: 'credentials', name: 'Credentials',
  credentials: { username: { label: 'Username' }, password: { label: 'Password', type: 'password' } },
  authorize,
};

/** How it is asked is each generation's own. */
export const oidc = {
  id: 'oidc', name: 'OIDC', clientId: process.env.OIDC_CLIENT_ID, clientSecret: process.env.OIDC_CLIENT_SECRET,
  profile(claims) {
    if (claims.name === 'useless') throw new Error('the profile is of no use');
    return { id: claims.sub, name: claims.name, email: claims.email };
  },
};
export const issuer = process.env.OIDC_ISSUER;

/** The test reads the link here, as people do in their mail. */
export const email = {
  id: 'email', type: 'email', name: 'Email', maxAge: 24 * 60 * 60,
  sendVerificationRequest: ({ identifier, url }) => console.log(`mail ${identifier} ${url}`),
};

const users = new Map();
const accounts = new Map();
const links = new Map();
const accountKey = (provider, id) => `${provider} ${id}`;
const linkKey = (identifier, token) => `${identifier} ${token}`;

const byEmail = (email) => [...users.values()].find((user) => user.email === email) ?? null;

function create(user) {
  const created = { ...user, id: `u${users.size + 1}` };
  users.set(created.id, created);
  return created;
}

function update(user) {
  const updated = { ...users.get(user.id), ...user };
  users.set(user.id, updated);
  return updated;
}

function take(key) {
  const link = links.get(key) ?? null;
  links.delete(key);
  return link;
}

/** An adapter of next-auth 4 and `@auth/core`. */
export const adapter = {
  createUser: async (user) => create(user),
  getUser: async (id) => users.get(id) ?? null,
  getUserByEmail: async (email) => byEmail(email),
  getUserByAccount: async ({ provider, providerAccountId }) => accounts.get(accountKey(provider, providerAccountId)) ?? null,
  updateUser: async (user) => update(user),
  linkAccount: async ({ provider, providerAccountId, userId }) => {
    accounts.set(accountKey(provider, providerAccountId), users.get(userId));
  },
  createVerificationToken: async (link) => (links.set(linkKey(link.identifier, link.token), link), link),
  useVerificationToken: async ({ identifier, token }) => take(linkKey(identifier, token)),
};

/** An adapter of next-auth 3, which sends the link itself. */
export const adapterV3 = {
  getAdapter: async () => ({
    createUser: async (user) => create(user),
    getUser: async (id) => users.get(id) ?? null,
    getUserByEmail: async (email) => byEmail(email),
    getUserByProviderAccountId: async (provider, id) => accounts.get(accountKey(provider, id)) ?? null,
    updateUser: async (user) => update(user),
    linkAccount: async (userId, provider, type, id) => {
      accounts.set(accountKey(provider, id), users.get(userId));
    },
    createVerificationRequest: async (identifier, url, token, secret, provider) => {
      links.set(linkKey(identifier, token), { identifier, token });
      await provider.sendVerificationRequest({ identifier, url, token, provider });
    },
    getVerificationRequest: async (identifier, token) => links.get(linkKey(identifier, token)) ?? null,
    deleteVerificationRequest: async (identifier, token) => void links.delete(linkKey(identifier, token)),
  }),
};
