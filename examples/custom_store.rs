//! A store of one's own: users in the application's list of members, sessions and links in a store that is there.
//!
//! ```sh
//! cargo run --example custom_store --features conformance -- --check   # does it keep its promises?
//! AUTH_SECRET=$(openssl rand -base64 33) AUTH_URL=http://localhost:3000 cargo run --example custom_store --features conformance
//! ```
//!
//! Then open <http://localhost:3000/members>. What each method has to do stands on the traits in
//! `portcullis::store`; the feature `conformance` belongs into the tests of your store.

use std::{
    collections::BTreeMap,
    env,
    num::NonZeroUsize,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use axum::{Router, extract::State, routing::get};
use portcullis::{
    Account, Auth, AuthLayer, BoxError, Credentials, Field, ProviderTokens, RequireAuth, Secret, Submitted,
    Timestamp, User,
    store::{
        MemoryStore, Replaced, Result as StoreResult, SessionAndUser, SessionKey, SessionStore, Store,
        StoreError, StoredSession, UserChange, UserStore, VerificationToken, VerificationTokenStore,
        conformance::Conformance,
    },
};
use serde_json::{Map, Value};
use tokio::net::TcpListener;
use tracing_subscriber::EnvFilter;

#[tokio::main]
async fn main() -> Result<(), BoxError> {
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("info"));
    tracing_subscriber::fmt().with_env_filter(filter).init(); // what the log is told when a page says nothing

    if env::args().any(|argument| argument == "--check") {
        return check().await;
    }
    let members = Arc::new(Members::default());
    let auth = Auth::builder(Secret::from_env()?)
        .provider(
            Credentials::new(check_password)
                .field(Field::text("username", "Username"))
                .field(Field::password("password", "Password")),
        )
        .store(MemberStore::new(Arc::clone(&members)))
        .build()?;
    print!("{}", auth.startup_report());

    let app = Router::new()
        .route("/members", get(list).layer(RequireAuth::signed_in()))
        .layer(AuthLayer::new(auth))
        .with_state(members);
    let port: u16 = env::var("PORT").map_or(Ok(3000), |port| port.parse())?;
    let listener = TcpListener::bind(("127.0.0.1", port)).await;
    let listener = listener.map_err(|error| format!("port {port}: {error}; set PORT to another one"))?;
    println!("open http://{}/members", listener.local_addr()?);
    axum::serve(listener, app).await?;
    Ok(())
}

/// In a test: `Conformance::of(store).run().await.assert()`, with `#[tokio::test(flavor = "multi_thread")]`.
async fn check() -> Result<(), BoxError> {
    let report = Conformance::of(MemberStore::new(Arc::default())).run().await;
    print!("{report}");
    if report.is_passed() { Ok(()) } else { Err("the store does not keep its promises".into()) }
}

async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
    let known = form.get("username") == Some("jsmith") && form.get("password") == Some("hunter2");
    Ok(known.then(|| User::new("1").name("J Smith").email("jsmith@example.com")))
}

/// The application's own view of the same list.
async fn list(State(members): State<Arc<Members>>) -> String {
    let members = members.lock();
    let names = members.by_number.iter().map(|(number, member)| {
        format!("{number} {}\n", member.user.name.as_deref().unwrap_or("without a name"))
    });
    names.collect()
}

/// What the application has had all along: members, each with a number. In earnest this is a table.
#[derive(Debug, Default)]
struct Members(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    by_number: BTreeMap<u64, Member>,
    /// The last number that was given; none is given twice.
    last: u64,
}

#[derive(Debug)]
struct Member {
    user: User,
    /// How they sign in, in the order in which that was linked.
    accounts: Vec<Account>,
}

impl Members {
    /// All of it, for one change or one look: whoever comes at the same moment waits. In a database this is a
    /// transaction, or a statement with a unique key.
    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    fn find(&self, is_meant: impl Fn(&Member) -> bool) -> Option<&Member> {
        self.by_number.values().find(|member| is_meant(member))
    }

    fn has_email(&self, email: &str) -> bool {
        self.find(|member| member.user.email.as_deref() == Some(email)).is_some()
    }

    fn has_account(&self, account: &Account) -> bool {
        self.find(|member| member.has(&account.provider, &account.provider_account_id)).is_some()
    }
}

impl Member {
    fn has(&self, provider: &str, id: &str) -> bool {
        self.accounts.iter().any(|account| is(account, provider, id))
    }
}

fn is(account: &Account, provider: &str, id: &str) -> bool {
    account.provider == provider && account.provider_account_id == id
}

/// The number that an id is about. One that this store could not have made, such as `01`, is nobody's.
fn number_of(id: &str) -> Option<u64> {
    id.parse().ok().filter(|number: &u64| number.to_string() == id)
}

/// Users are members; the rest is in the memory of this process, and could be in Redis.
#[derive(Debug)]
struct MemberStore {
    members: Arc<Members>,
    rest: MemoryStore,
}

impl MemberStore {
    fn new(members: Arc<Members>) -> Self {
        Self { members, rest: MemoryStore::new() }
    }
}

#[async_trait]
impl UserStore for MemberStore {
    async fn create_user(&self, user: &User, account: Option<&Account>) -> StoreResult<User> {
        let mut table = self.members.lock();
        let taken = user.email.as_deref().is_some_and(|email| table.has_email(email));
        if taken || account.is_some_and(|account| table.has_account(account)) {
            return Err(StoreError::conflict("somebody has this address, or this account"));
        }
        table.last += 1;
        let number = table.last;
        let mut user = user.clone();
        user.id = number.to_string();
        let member = Member { user: user.clone(), accounts: account.cloned().into_iter().collect() };
        table.by_number.insert(number, member);
        Ok(user)
    }

    async fn user(&self, id: &str) -> StoreResult<Option<User>> {
        let Some(number) = number_of(id) else { return Ok(None) };
        Ok(self.members.lock().by_number.get(&number).map(|member| member.user.clone()))
    }

    async fn user_by_email(&self, email: &str) -> StoreResult<Option<User>> {
        let table = self.members.lock();
        let member = table.find(|member| member.user.email.as_deref() == Some(email));
        Ok(member.map(|member| member.user.clone()))
    }

    async fn user_by_account(&self, provider: &str, id: &str) -> StoreResult<Option<User>> {
        let table = self.members.lock();
        Ok(table.find(|member| member.has(provider, id)).map(|member| member.user.clone()))
    }

    async fn update_user(&self, id: &str, change: UserChange) -> StoreResult<Option<User>> {
        let mut table = self.members.lock();
        let Some(number) = number_of(id) else { return Ok(None) };
        let email = change.email.as_deref();
        let owner = email.and_then(|email| table.find(|member| member.user.email.as_deref() == Some(email)));
        if owner.is_some_and(|owner| owner.user.id != id) {
            return Err(StoreError::conflict("another member has this address"));
        }
        let Some(member) = table.by_number.get_mut(&number) else { return Ok(None) };
        Ok(change.apply(&mut member.user).then(|| member.user.clone()))
    }

    async fn delete_user(&self, id: &str) -> StoreResult<bool> {
        let Some(number) = number_of(id) else { return Ok(false) };
        // First, for then none of their sessions counts, also if this ends here.
        let removed = self.members.lock().by_number.remove(&number).is_some();
        self.rest.end_sessions_of(id, None).await?;
        Ok(removed)
    }

    async fn link_account(&self, user_id: &str, account: &Account) -> StoreResult<()> {
        let mut table = self.members.lock();
        if table.has_account(account) {
            return Err(StoreError::conflict("somebody has this account"));
        }
        let member = number_of(user_id).and_then(|number| table.by_number.get_mut(&number));
        let member = member.ok_or_else(|| StoreError::conflict("there is no such member"))?;
        member.accounts.push(account.clone());
        Ok(())
    }

    async fn unlink_account(&self, provider: &str, id: &str) -> StoreResult<bool> {
        let mut table = self.members.lock();
        let Some(member) = table.by_number.values_mut().find(|member| member.has(provider, id)) else {
            return Ok(false);
        };
        member.accounts.retain(|account| !is(account, provider, id));
        Ok(true)
    }

    async fn replace_tokens(
        &self,
        provider: &str,
        id: &str,
        before: &ProviderTokens,
        after: &ProviderTokens,
    ) -> StoreResult<bool> {
        let mut table = self.members.lock();
        let mut accounts = table.by_number.values_mut().flat_map(|member| &mut member.accounts);
        let Some(account) = accounts.find(|account| is(account, provider, id)) else { return Ok(false) };
        // Whoever was faster has got others, and these are worth nothing any more.
        let tokens = &mut account.tokens;
        if tokens.access_token != before.access_token || tokens.refresh_token != before.refresh_token {
            return Ok(false);
        }
        *tokens = after.clone();
        tokens.extra.clear();
        Ok(true)
    }

    async fn accounts_of(&self, user_id: &str) -> StoreResult<Vec<Account>> {
        let Some(number) = number_of(user_id) else { return Ok(Vec::new()) };
        Ok(self.members.lock().by_number.get(&number).map_or_else(Vec::new, |member| member.accounts.clone()))
    }
}

#[async_trait]
impl Store for MemberStore {
    async fn session_and_user(&self, key: &SessionKey) -> StoreResult<Option<SessionAndUser>> {
        let Some(session) = self.rest.session(key).await? else { return Ok(None) };
        let user = self.user(&session.user_id).await?;
        Ok(user.map(|user| SessionAndUser { session: session.into(), user: user.into() }))
    }
}

/// Handed on as they are.
#[async_trait]
impl SessionStore for MemberStore {
    async fn create_session(&self, session: &StoredSession, limit: Option<NonZeroUsize>) -> StoreResult<()> {
        self.rest.create_session(session, limit).await
    }

    async fn session(&self, key: &SessionKey) -> StoreResult<Option<StoredSession>> {
        self.rest.session(key).await
    }

    async fn extend_session(
        &self,
        key: &SessionKey,
        expires: Timestamp,
        seen: Timestamp,
    ) -> StoreResult<bool> {
        self.rest.extend_session(key, expires, seen).await
    }

    async fn replace_session_data(
        &self,
        key: &SessionKey,
        version: u64,
        data: &Map<String, Value>,
    ) -> StoreResult<Replaced> {
        self.rest.replace_session_data(key, version, data).await
    }

    async fn end_session(&self, key: &SessionKey) -> StoreResult<bool> {
        self.rest.end_session(key).await
    }

    async fn sessions_of(&self, user_id: &str) -> StoreResult<Vec<StoredSession>> {
        self.rest.sessions_of(user_id).await
    }

    async fn end_sessions_of(&self, user_id: &str, keep: Option<&SessionKey>) -> StoreResult<u64> {
        self.rest.end_sessions_of(user_id, keep).await
    }

    async fn delete_expired_sessions(&self, now: Timestamp, limit: u32) -> StoreResult<u64> {
        self.rest.delete_expired_sessions(now, limit).await
    }
}

#[async_trait]
impl VerificationTokenStore for MemberStore {
    async fn create_verification_token(&self, token: &VerificationToken) -> StoreResult<()> {
        self.rest.create_verification_token(token).await
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> StoreResult<Option<VerificationToken>> {
        self.rest.use_verification_token(identifier, token).await
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> StoreResult<u64> {
        self.rest.delete_expired_verification_tokens(now, limit).await
    }
}
