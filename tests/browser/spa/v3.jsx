// A page with the client of next-auth 3, where useSession answers [session, loading].
import { useEffect } from 'react';
import { render } from 'react-dom';
import { Provider, getCsrfToken, getProviders, getSession, signIn, signOut, useSession } from 'next-auth/client';
import { CustomSignIn, Status, query, record } from '../../conformance/spa/views.jsx';

window.auth = { getCsrfToken, getProviders, getSession, signIn, signOut };
window.__messages = [];
window.addEventListener('storage', (e) => {
  if (e.key === 'nextauth.message') window.__messages.push(JSON.parse(e.newValue));
});

function Home() {
  const [session, loading] = useSession();
  // The client renders once with the session while it still says that it is loading.
  const status = session ? 'authenticated' : loading ? 'loading' : 'unauthenticated';
  record(status, session);
  return <Status status={status} session={session} />;
}

/** v3 has no `required`: this is how its applications ask for a session. */
function Members() {
  const [session, loading] = useSession();
  useEffect(() => { if (!loading && !session) signIn(); }, [loading, session]);
  return session ? <Home /> : null;
}

const seconds = (name) => (query.has(name) ? { [name]: Number(query.get(name)) } : {});
const options = { ...seconds('clientMaxAge'), ...seconds('keepAlive') };
const initial = query.has('initial') ? { user: { email: 'initial@example.com' } } : undefined;
const pages = {
  signin: () => <CustomSignIn getProviders={getProviders} signIn={signIn} />,
  alone: () => <Home />,
  members: () => <Provider options={options}><Members /></Provider>,
  home: () => <Provider options={options} session={initial}><Home /></Provider>,
};
render(pages[query.get('page') ?? 'home'](), document.getElementById('root'));
