//! Tokens to ask a provider with, on behalf of a user: kept in the store, and refreshed when they are due.

use std::{
    collections::HashMap,
    error::Error as StdError,
    fmt,
    future::Future,
    sync::{Arc, Mutex, PoisonError, Weak},
    time::Duration,
};

use tokio::{runtime::Handle, sync::Mutex as AsyncMutex};

use super::{Auth, AuthContext};
use crate::{
    callbacks::Event,
    clock::Timestamp,
    error::SessionError,
    oauth::{Lease, OAuthClient, OAuthErrorKind},
    store::{StoreError, Stores},
    user::{Account, ProviderTokens},
};

/// How long before its end a token is refreshed: whoever is given one needs some time to use it.
const MARGIN: Duration = Duration::from_secs(60);
/// The part of its lifetime that the margin takes at most: a token that lasts no longer than the margin would be
/// refreshed each time.
const MARGIN_PART: u32 = 4;
/// How long to wait before looking whether somebody else has refreshed it.
const PAUSE: Duration = Duration::from_millis(100);
/// How often to look: for longer than a lease lasts.
const LOOKS: u32 = 700;
/// How often to look before leases are removed that have ended.
const LOOKS_UNTIL_FREE: u32 = 20;
/// How long a refresh may take, with everything: less than its lease lasts, also by a clock that is a little ahead.
const REFRESH_LIMIT: Duration = Duration::from_secs(50);

/// A token of a provider, for requests on behalf of a user.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct ProviderToken {
    /// For `Authorization: Bearer`.
    pub access_token: String,
    /// When it ends, if the provider says so: at least a minute from now. Where tokens last for less than four minutes, a
    /// quarter of that has to be left, or it was given while somebody waited for it.
    pub expires_at: Option<Timestamp>,
    /// What it may be used for, if the provider says so.
    pub scope: Option<String>,
}

/// Why there is no [`ProviderToken`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProviderTokenError {
    kind: ProviderTokenErrorKind,
}

/// The kinds of [`ProviderTokenError`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum ProviderTokenErrorKind {
    /// There is no store, so no provider's tokens are kept.
    NoStore,
    /// No provider of OAuth or OpenID Connect has this id.
    UnknownProvider,
    /// Nobody is signed in.
    NotSignedIn,
    /// The user has no account at this provider: send them to sign in there while they are signed in here. Likewise who is
    /// no user of the store.
    NotLinked,
    /// The provider gives no token any more: send the user to sign in there once more.
    SignInAgain,
    /// The store or the provider cannot be reached, or a callback failed about the session: trying again may help.
    Unavailable,
}

impl ProviderTokenError {
    const fn new(kind: ProviderTokenErrorKind) -> Self {
        Self { kind }
    }

    /// Which kind it is.
    pub const fn kind(&self) -> ProviderTokenErrorKind {
        self.kind
    }
}

impl From<StoreError> for ProviderTokenError {
    fn from(_: StoreError) -> Self {
        Self::new(ProviderTokenErrorKind::Unavailable)
    }
}

impl From<SessionError> for ProviderTokenError {
    fn from(_: SessionError) -> Self {
        Self::new(ProviderTokenErrorKind::Unavailable)
    }
}

impl fmt::Display for ProviderTokenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.kind {
            ProviderTokenErrorKind::NoStore => {
                "tokens of providers are kept in a store: add `.store(..)` to the Auth"
            }
            ProviderTokenErrorKind::UnknownProvider => {
                "no provider of OAuth or OpenID Connect has this id: add it with `.provider(..)`"
            }
            ProviderTokenErrorKind::NotSignedIn => "nobody is signed in: let them sign in first",
            ProviderTokenErrorKind::NotLinked => {
                "the user has no account at this provider: let them sign in there while they are signed in here"
            }
            ProviderTokenErrorKind::SignInAgain => {
                "the provider gives no token for this user any more: let them sign in there once more"
            }
            ProviderTokenErrorKind::Unavailable => {
                "the store or the provider cannot be reached at present; see the log"
            }
        })
    }
}

impl StdError for ProviderTokenError {}

/// Without the token.
impl fmt::Debug for ProviderToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ProviderToken").field("expires_at", &self.expires_at).finish_non_exhaustive()
    }
}

impl AuthContext {
    /// A token with which a provider can be asked on behalf of whoever is signed in: the one that it gave at the sign-in,
    /// or a newer one if that is over within a minute, or within a quarter of the time that tokens last there. `provider`
    /// is the id of a provider of the [`Auth`].
    ///
    /// Whoever is not a user of the store has none ([`NotLinked`](ProviderTokenErrorKind::NotLinked)): with
    /// [`sessions_in_tokens`](crate::AuthBuilder::sessions_in_tokens) that is who signed in with a password, under an id of
    /// the application's own, which may be that of somebody else in the store. Their token says so; tokens of a server of
    /// the npm packages that shares secret and store do not, so give the users there no such ids.
    ///
    /// However many ask at once, in however many instances on one store, the provider is asked once, and all are
    /// given what it answers: a refresh token that works once is used once. The newer tokens are stored before anybody
    /// is given them. A refresh goes on when its caller goes away.
    ///
    /// Most providers give a refresh token only if they are asked for one, by a scope (`openid profile email
    /// offline_access`; [`OAuth::scope`](crate::OAuth::scope) replaces what the preset asks for) or a parameter
    /// (`access_type=offline` at Google). A token whose provider names no end, such as one of an OAuth app of GitHub, is
    /// given as it is: when the provider answers 401 to it, the user has to sign in there again.
    ///
    /// ```
    /// use bytes::Bytes;
    /// use http::{Request, header::AUTHORIZATION};
    /// use portcullis::{
    ///     AuthContext, BoxError, ProviderTokenErrorKind,
    ///     http_client::{HttpClient, HyperClient},
    /// };
    ///
    /// async fn repositories(auth: &AuthContext, client: &HyperClient) -> Result<Bytes, BoxError> {
    ///     let token = match auth.provider_token("github").await {
    ///         Ok(token) => token,
    ///         Err(error) if error.kind() == ProviderTokenErrorKind::SignInAgain => {
    ///             return Ok("sign in with GitHub once more".into());
    ///         }
    ///         Err(error) => return Err(error.into()),
    ///     };
    ///     let request = Request::get("https://api.github.com/user/repos")
    ///         .header(AUTHORIZATION, format!("Bearer {}", token.access_token))
    ///         .body(Bytes::new())?;
    ///     Ok(client.send(request).await?.into_body()) // with `User-Agent: portcullis`, which GitHub insists on
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`ProviderTokenErrorKind`].
    pub async fn provider_token(&self, provider: &str) -> Result<ProviderToken, ProviderTokenError> {
        use ProviderTokenErrorKind::{NotLinked, NotSignedIn};
        let keeper = self.auth().keeper(provider)?;
        let live = self.live()?.ok_or(ProviderTokenError::new(NotSignedIn))?;
        let user_id = live.subject().filter(|_| !live.is_unstored());
        let user_id = user_id.ok_or(ProviderTokenError::new(NotLinked))?.into_owned();
        self.auth().token_of(keeper, &user_id).await
    }
}

impl Auth {
    /// Likewise of a user of the store, whoever is signed in: for jobs. `user_id` is what the store knows them by, and not
    /// simply what a session says: the id in a session may be the application's own, and then somebody else's here. For
    /// whoever is signed in there is [`AuthContext::provider_token`], which knows that.
    ///
    /// ```
    /// use portcullis::{Auth, ProviderTokenError};
    ///
    /// /// Every night, for the users whose ids were read from the store.
    /// async fn tokens(auth: &Auth, users: &[String]) -> Result<(), ProviderTokenError> {
    ///     for user_id in users {
    ///         let token = auth.provider_token(user_id, "github").await?;
    ///         # let _ = token;
    ///         // ask GitHub
    ///     }
    ///     Ok(())
    /// }
    /// ```
    ///
    /// # Errors
    ///
    /// See [`ProviderTokenErrorKind`].
    pub async fn provider_token(
        &self,
        user_id: &str,
        provider: &str,
    ) -> Result<ProviderToken, ProviderTokenError> {
        self.token_of(self.keeper(provider)?, user_id).await
    }

    /// Where the tokens of a provider are kept, and who gives them.
    fn keeper(&self, provider: &str) -> Result<Keeper<'_>, ProviderTokenError> {
        use ProviderTokenErrorKind::{NoStore, UnknownProvider};
        let stores = self.settings.stores.as_ref().ok_or(ProviderTokenError::new(NoStore))?;
        let site = self.settings.site.as_ref().ok_or(ProviderTokenError::new(UnknownProvider))?;
        let client = site.oauth.client(provider).ok_or(ProviderTokenError::new(UnknownProvider))?;
        Ok(Keeper { stores, client, turns: &site.oauth.turns })
    }

    async fn token_of(
        &self,
        Keeper { stores, client, turns }: Keeper<'_>,
        user_id: &str,
    ) -> Result<ProviderToken, ProviderTokenError> {
        let held = self.held(stores, user_id, &client.provider.id).await?;
        if let Some(token) = held.usable(client, self.now()) {
            return Ok(token);
        }
        let refresh = Refresh {
            auth: self.clone(),
            turn: turns.of(&held.stored),
            client: Arc::clone(client),
            user_id: user_id.to_owned(),
            stores: stores.clone(),
            seen: held.tokens.access_token,
        };
        match Handle::try_current() {
            Ok(runtime) => match runtime.spawn(refresh.run()).await {
                Ok(outcome) => outcome,
                Err(_) => Err(ProviderTokenError::new(ProviderTokenErrorKind::Unavailable)),
            },
            Err(_) => refresh.run().await,
        }
    }

    /// What the user's account at a provider has; of several the one that was linked last.
    async fn held(&self, stores: &Stores, user_id: &str, provider: &str) -> Result<Held, ProviderTokenError> {
        let accounts = stores.ask(stores.users.accounts_of(user_id)).await?;
        let stored = accounts.into_iter().rev().find(|account| account.provider == provider);
        let stored = stored.ok_or(ProviderTokenError::new(ProviderTokenErrorKind::NotLinked))?;
        let tokens = self.settings.token_seal.open(&stored).map_err(|_| {
            tracing::error!(
                provider,
                "a stored token does not open: is its secret still in the list, and sealing on?"
            );
            ProviderTokenError::new(ProviderTokenErrorKind::SignInAgain)
        })?;
        Ok(Held { stored, tokens })
    }
}

/// Where the tokens of one provider are kept, and who gives them.
struct Keeper<'a> {
    stores: &'a Stores,
    client: &'a Arc<OAuthClient>,
    turns: &'a Turns,
}

/// An account, and its tokens in the clear.
struct Held {
    stored: Account,
    tokens: ProviderTokens,
}

impl Held {
    /// The token, if there is time to use it. How long it lasts is not stored: until one was given to this process, it is
    /// taken for long.
    fn usable(&self, client: &OAuthClient, now: Timestamp) -> Option<ProviderToken> {
        let margin = client.lifetime().map_or(MARGIN, |lifetime| MARGIN.min(lifetime / MARGIN_PART));
        self.good_after(now.plus(margin))
    }

    fn good_after(&self, time: Timestamp) -> Option<ProviderToken> {
        self.token().filter(|token| token.expires_at.is_none_or(|end| end > time))
    }

    fn token(&self) -> Option<ProviderToken> {
        let access_token = self.tokens.access_token.clone().filter(|token| !token.is_empty())?;
        let expires_at = self.tokens.expires_at.map(Timestamp::from_secs);
        Some(ProviderToken { access_token, expires_at, scope: self.tokens.scope.clone() })
    }
}

/// One refresh, which goes to its end whoever waits for it.
struct Refresh {
    auth: Auth,
    turn: Turn,
    client: Arc<OAuthClient>,
    user_id: String,
    stores: Stores,
    /// The access token that is to be replaced.
    seen: Option<String>,
}

impl Refresh {
    async fn run(self) -> Result<ProviderToken, ProviderTokenError> {
        let asked = self.auth.now();
        let mut last = self.turn.lock().await;
        // Whoever has waited is given what was waited for, be it a fault: nobody asks one after the other.
        if let Some(Last { at, outcome }) = &*last
            && *at >= asked
        {
            return outcome.clone();
        }
        let outcome = self.refreshed().await;
        *last = Some(Last { at: self.auth.now(), outcome: outcome.clone() });
        outcome
    }

    async fn refreshed(&self) -> Result<ProviderToken, ProviderTokenError> {
        for look in 0..LOOKS {
            let held = self.held().await?;
            if let Some(token) = held.usable(&self.client, self.auth.now()) {
                return Ok(token);
            }
            // Somebody in another instance was given it meanwhile. However soon it ends: a newer one would end as soon.
            if held.tokens.access_token != self.seen
                && let Some(token) = held.good_after(self.auth.now())
            {
                token.expires_at.into_iter().for_each(|end| self.client.note_lifetime(end));
                return Ok(token);
            }
            let Some(refresh_token) = held.tokens.refresh_token.clone() else {
                tracing::debug!(
                    provider = %self.client.provider.id,
                    "the access token is over, and there is no refresh token: see `AuthContext::provider_token` for how to ask for one"
                );
                return Err(ProviderTokenError::new(ProviderTokenErrorKind::SignInAgain));
            };
            match Lease::take(&self.stores, &held.stored, self.auth.now()).await? {
                Some(lease) => {
                    let outcome = self.in_time(self.with_lease(&held, &refresh_token)).await;
                    lease.end(&self.stores).await;
                    if let Some(outcome) = outcome.transpose() {
                        return outcome;
                    }
                }
                // Somebody in another instance is at it, or died of it.
                None if look % LOOKS_UNTIL_FREE == 0 => Lease::free(&self.stores, self.auth.now()).await?,
                None => self.auth.sleep(PAUSE).await,
            }
        }
        tracing::error!(provider = %self.client.provider.id, "a token was not refreshed: others have its lease for ever");
        Err(ProviderTokenError::new(ProviderTokenErrorKind::Unavailable))
    }

    async fn in_time<T>(
        &self,
        work: impl Future<Output = Result<T, ProviderTokenError>>,
    ) -> Result<T, ProviderTokenError> {
        let outcome = self.auth.within(REFRESH_LIMIT, work).await;
        outcome.unwrap_or(Err(ProviderTokenError::new(ProviderTokenErrorKind::Unavailable)))
    }

    /// Asks the provider. `None` if somebody else has done so in between.
    async fn with_lease(
        &self,
        held: &Held,
        refresh_token: &str,
    ) -> Result<Option<ProviderToken>, ProviderTokenError> {
        if !self.held().await?.stored.tokens.are_those_of(&held.stored.tokens) {
            return Ok(None);
        }
        let provider = &self.client.provider.id;
        let fresh = match self.client.refresh(refresh_token).await {
            Ok(grant) => grant.tokens,
            Err(error) if error.kind() == OAuthErrorKind::GrantRefused => {
                if !self.forget(held).await {
                    return Ok(None);
                }
                tracing::warn!(%provider, "a refresh token is not taken any more: {error}");
                return Err(ProviderTokenError::new(ProviderTokenErrorKind::SignInAgain));
            }
            Err(error) => {
                let remedy = match error.kind() {
                    OAuthErrorKind::Refused => {
                        "; if it says so of every refresh token that is worth nothing: Quirks::refresh_refusals"
                    }
                    _ => "",
                };
                tracing::warn!(%provider, "a token could not be refreshed: {error}{remedy}");
                return Err(ProviderTokenError::new(ProviderTokenErrorKind::Unavailable));
            }
        };
        let tokens = fresh.or_kept(&held.tokens);
        match self.store(held, &tokens).await? {
            // However soon it ends: a newer one would end as soon.
            true => Ok(Held { stored: held.stored.clone(), tokens }.token()),
            false => Ok(None),
        }
    }

    async fn held(&self) -> Result<Held, ProviderTokenError> {
        self.auth.held(&self.stores, &self.user_id, &self.client.provider.id).await
    }

    /// Stores what the provider gave: it may have made what was stored before worthless, so a fault is not the end.
    async fn store(&self, held: &Held, tokens: &ProviderTokens) -> Result<bool, StoreError> {
        const ATTEMPTS: u32 = 3;
        let account = Account { tokens: tokens.clone(), ..held.stored.clone() };
        let sealed = self.auth.settings.token_seal.seal(&account);
        let mut attempt = 1;
        loop {
            let (provider, id) = (&account.provider, &account.provider_account_id);
            let write = self.stores.users.replace_tokens(provider, id, &held.stored.tokens, &sealed.tokens);
            match self.stores.ask(write).await {
                Err(_) if attempt < ATTEMPTS => self.auth.sleep(PAUSE * 2u32.pow(attempt)).await,
                Err(error) => {
                    tracing::error!(provider, "tokens that were refreshed could not be stored, and are lost");
                    return Err(error);
                }
                Ok(stored) => return Ok(stored),
            }
            attempt += 1;
        }
    }

    /// Takes a refresh token away that is worth nothing, so that nobody asks with it again. `false` if there is another
    /// one by now: somebody else was faster.
    async fn forget(&self, held: &Held) -> bool {
        let tokens = ProviderTokens { refresh_token: None, ..held.stored.tokens.clone() };
        let (provider, id) = (&held.stored.provider, &held.stored.provider_account_id);
        let write = self.stores.users.replace_tokens(provider, id, &held.stored.tokens, &tokens);
        if let Ok(false) = self.stores.ask(write).await {
            return false;
        }
        let (user_id, provider) = (self.user_id.clone(), provider.clone());
        self.auth.settings.callbacks.emit(Event::ProviderTokenRefused { user_id, provider }).await;
        true
    }
}

/// Whose turn it is in this process: one refresh at a time for each account.
#[derive(Debug, Default)]
pub(crate) struct Turns {
    turns: Mutex<HashMap<Key, Weak<AsyncMutex<Option<Last>>>>>,
}

/// Held by the one who refreshes; holds what came of it last.
type Turn = Arc<AsyncMutex<Option<Last>>>;

#[derive(Debug)]
struct Last {
    at: Timestamp,
    outcome: Result<ProviderToken, ProviderTokenError>,
}

/// A provider, and the id of an account there.
type Key = (String, String);

impl Turns {
    fn of(&self, account: &Account) -> Turn {
        let mut turns = self.turns.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (account.provider.clone(), account.provider_account_id.clone());
        if let Some(turn) = turns.get(&key).and_then(Weak::upgrade) {
            return turn;
        }
        // What nobody waits for any more.
        turns.retain(|_, turn| turn.strong_count() > 0);
        let turn = Arc::default();
        turns.insert(key, Arc::downgrade(&turn));
        turn
    }
}
