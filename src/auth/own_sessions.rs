//! What users see of their sessions, and do about them.

use std::fmt;

use serde_json::{Map, Value};

use super::{AuthContext, SignInError};
use crate::{
    clock::Timestamp,
    error::{SessionError, SessionErrorKind},
    session::{LiveSession, Upstream, user_name},
    store::{Replaced, SessionKey, StoredSession},
    user::Account,
};

/// A session in a list that its user, or who runs the site, is shown. Nothing in it opens anything.
#[derive(Clone, PartialEq, Eq)]
#[non_exhaustive]
pub struct SessionInfo {
    /// A name for the session, by which it is ended. It is no secret.
    pub handle: String,
    /// The session of the request that asked.
    pub current: bool,
    /// When its user signed in, if that is known.
    pub created: Option<Timestamp>,
    /// When it was last extended, which is at most `update_age` after it was last used.
    pub last_seen: Option<Timestamp>,
    /// When it ends.
    pub expires: Timestamp,
    /// Where it was begun from, if that is recorded.
    pub address: Option<String>,
    /// The `User-Agent` it was begun with, if that is recorded.
    pub user_agent: Option<String>,
}

/// Without what is personal.
impl fmt::Debug for SessionInfo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionInfo")
            .field("handle", &self.handle)
            .field("current", &self.current)
            .field("created", &self.created)
            .field("last_seen", &self.last_seen)
            .field("expires", &self.expires)
            .finish_non_exhaustive()
    }
}

impl SessionInfo {
    pub(super) fn of(row: StoredSession, current: Option<&SessionKey>) -> Self {
        Self {
            handle: row.key.handle(),
            current: current == Some(&row.key),
            created: row.created,
            last_seen: row.last_seen,
            expires: row.expires,
            address: row.address,
            user_agent: row.user_agent,
        }
    }
}

/// How often a change of the data is tried again when another request was faster.
const ATTEMPTS: usize = 128;

/// About the sessions of the user who is signed in. All answer as if there were none when nobody is.
impl AuthContext {
    /// The sessions of this user that have not ended, those that were begun first in front. Sessions that live
    /// in tokens are not listed anywhere: there it is empty.
    ///
    /// # Errors
    ///
    /// When the store or a callback failed.
    pub async fn sessions(&self) -> Result<Vec<SessionInfo>, SessionError> {
        let Some(live) = self.live()? else { return Ok(Vec::new()) };
        let current = live.stored().map(|row| &row.key);
        Ok(self.auth().list(&subject_of(live), current).await?)
    }

    /// Ends one session of this user, by its [handle](SessionInfo::handle). Says whether there was one: a handle
    /// of somebody else's session finds none. The session of this request ends by [`sign_out`](Self::sign_out).
    ///
    /// # Errors
    ///
    /// As [`sessions`](Self::sessions); and when the session cannot be changed here.
    pub async fn end_session(&self, handle: &str) -> Result<bool, SessionError> {
        let Some(live) = self.changeable()? else { return Ok(false) };
        self.auth().end_session(&subject_of(live), handle).await
    }

    /// Ends all sessions of this user but the one of this request: after a change of the password, the address, or
    /// a factor. Sessions that live in tokens end where revocations are kept
    /// ([`AuthBuilder::revocation`](crate::AuthBuilder::revocation)).
    ///
    /// # Errors
    ///
    /// When the store or a callback failed, the session cannot be changed here, or sessions live in tokens and
    /// nothing keeps revocations.
    pub async fn end_other_sessions(&self) -> Result<(), SessionError> {
        let Some(live) = self.changeable()? else { return Ok(()) };
        let (auth, visit) = (self.auth(), self.visit());
        if let (Some(rows), Some(row)) = (auth.settings.strategy.rows(), live.stored()) {
            return Ok(rows.end_of_user(&row.user_id, Some(&row.key)).await?);
        }
        match auth.settings.strategy.counts_now(live).await {
            Some(true) => {}
            // Ended elsewhere: it must not outlive that by ending the others.
            Some(false) => {
                self.decide(auth.clear(visit));
                return Ok(());
            }
            None => return Err(SessionError::new(SessionErrorKind::Unavailable)),
        }
        let epoch = auth.revoke_user(&name_of(live), visit.now).await?;
        let failed = |_| SessionError::new(SessionErrorKind::Callback);
        match auth.renew_token(live, None, Some(epoch), visit).await.map_err(failed)? {
            Some(renewal) => self.change(renewal.cookies),
            None => self.decide(auth.clear(visit)),
        }
        Ok(())
    }

    /// Ends all sessions of this user, the one of this request among them.
    ///
    /// # Errors
    ///
    /// As [`end_other_sessions`](Self::end_other_sessions).
    pub async fn end_all_sessions(&self) -> Result<(), SessionError> {
        let Some(live) = self.changeable()? else { return Ok(()) };
        let auth = self.auth();
        match auth.settings.strategy.rows() {
            Some(rows) => rows.end_of_user(&subject_of(live), None).await?,
            None => drop(auth.revoke_user(&name_of(live), auth.now()).await?),
        }
        self.sign_out().await
    }

    /// Gives the session a new id, and ends the old one: when its user has got more rights, or has proved
    /// something more. Who is signed in stays the same, and so does everything that is kept with the session. A
    /// session that lives in a token gets a new token; the old one is revoked where revocations are kept.
    ///
    /// # Errors
    ///
    /// When the store or a callback failed, or the session cannot be changed here; nothing has changed then.
    pub async fn renew_id(&self) -> Result<(), SessionError> {
        let Some(live) = self.changeable()? else { return Ok(()) };
        let (auth, visit) = (self.auth(), self.visit());
        let strategy = &auth.settings.strategy;
        if let (Some(rows), Some(row)) = (strategy.rows(), live.stored()) {
            let token = rows.rename(row).await?;
            let end = live.registered.expires.unwrap_or(row.expires);
            self.decide(strategy.cookies(&token, end, &visit.present, visit.https, visit.now));
            return Ok(());
        }
        match auth.replace_token(live, visit).await? {
            Some(cookies) => self.decide(cookies),
            None => self.decide(auth.clear(visit)),
        }
        Ok(())
    }

    /// Changes what is kept with the session in the store, and answers it as it is then; `None` if nobody is
    /// signed in, or the session has ended meanwhile. `change` is called again when another request was faster, so
    /// that none of both is lost: it only changes what it is given.
    ///
    /// ```
    /// use portcullis::{AuthContext, SessionError};
    ///
    /// async fn add_to_cart(auth: AuthContext) -> Result<String, SessionError> {
    ///     let data = auth
    ///         .change_data(|data| {
    ///             let items = data.get("items").and_then(serde_json::Value::as_u64).unwrap_or(0);
    ///             data.insert("items".into(), (items + 1).into());
    ///         })
    ///         .await?;
    ///     Ok(data.map_or("sign in first".to_owned(), |data| format!("{} items", data["items"])))
    /// }
    /// # let _ = add_to_cart;
    /// ```
    ///
    /// # Errors
    ///
    /// When the store or a callback failed, sessions live in tokens (change those with [`update`](Self::update)),
    /// or the session cannot be changed here.
    pub async fn change_data(
        &self,
        mut change: impl FnMut(&mut Map<String, Value>) + Send,
    ) -> Result<Option<Map<String, Value>>, SessionError> {
        let Some(live) = self.changeable()? else { return Ok(None) };
        let (Some(rows), Some(row)) = (self.auth().settings.strategy.rows(), live.stored()) else {
            return Err(SessionError::new(SessionErrorKind::NoStore));
        };
        let stores = &rows.stores;
        let (mut version, mut data) = (row.version, row.data.clone());
        for _ in 0..ATTEMPTS {
            let upstream = Upstream::of(&data);
            change(&mut data);
            // By this the session is ended when its user signs out at the provider.
            Upstream::note(upstream.as_ref(), &mut data);
            match stores.ask(stores.sessions.replace_session_data(&row.key, version, &data)).await? {
                Replaced::Done => return Ok(Some(data)),
                Replaced::Missing => return Ok(None),
                Replaced::Stale => {}
            }
            let Some(current) = stores.ask(stores.sessions.session(&row.key)).await? else { return Ok(None) };
            (version, data) = (current.version, current.data);
        }
        tracing::warn!("the data of a session was changed by others each time it was tried: given up");
        Err(SessionError::new(SessionErrorKind::Unavailable))
    }

    /// Links an account at a provider that the application speaks to itself to the user who is signed in: from
    /// then on they sign in with it, too. Ask the user first.
    ///
    /// # Errors
    ///
    /// When nobody is signed in, or somebody who is no user of the store (with
    /// [`sessions_in_tokens`](crate::AuthBuilder::sessions_in_tokens) that is who signed in with a password), somebody else
    /// has the account, there is no store, or it failed.
    pub async fn link_account(&self, account: Account) -> Result<(), SignInError> {
        let live = match self.changeable() {
            Ok(Some(live)) => live,
            Ok(None) => return Err(SignInError::not_signed_in()),
            Err(error) => return Err(error.into()),
        };
        Ok(self.auth().link(live, account).await?)
    }
}

fn subject_of(live: &LiveSession) -> String {
    live.subject().unwrap_or_default().into_owned()
}

/// The name by which the tokens of its user are ended.
fn name_of(live: &LiveSession) -> String {
    let claims = live.claims().unwrap_or_default();
    user_name(&claims).unwrap_or_default().into_owned()
}
