//! Signing out here and at the provider.

use super::Auth;
use crate::{
    error::{SessionError, SessionErrorKind},
    oauth::LogoutToken,
    session::{LiveSession, Revocations, Rows, Upstream},
    store::{Revocation, Revoked},
};

impl Auth {
    /// Where the browser of a session that has just been ended signs out at its provider, too.
    pub(crate) async fn end_session_url(&self, session: &LiveSession, return_to: &str) -> Option<String> {
        let upstream = session.upstream()?;
        let client = self.settings.site.as_ref()?.oauth.client(&upstream.provider)?;
        if !client.provider.federated_logout {
            return None;
        }
        let hint = self.id_token(session, &upstream.provider).await;
        let url = client.end_session_url(hint.as_deref(), return_to).await;
        url.unwrap_or_else(|error| {
            let provider = upstream.provider;
            tracing::warn!(provider, "a user was signed out here and not at the provider: {error}");
            None
        })
    }

    /// By which the provider knows whose session is to end.
    async fn id_token(&self, session: &LiveSession, provider: &str) -> Option<String> {
        let stores = self.settings.stores.as_ref().filter(|_| !session.is_unstored())?;
        let accounts = stores.ask(stores.users.accounts_of(&session.subject()?)).await.ok()?;
        let account = accounts.into_iter().rev().find(|account| account.provider == provider)?;
        self.settings.token_seal.open(&account).ok()?.id_token
    }

    /// Ends the sessions here that were begun with one at a provider, or all of a user of the provider's (OpenID Connect
    /// Back-Channel Logout section 2.7). What does not say which session it was begun with may have been begun with that
    /// one, so it ends, too: the provider is answered that it has, and does not tell again.
    pub(crate) async fn end_upstream(
        &self,
        provider: &str,
        logout: &LogoutToken,
    ) -> Result<(), SessionError> {
        let strategy = &self.settings.strategy;
        match (strategy.rows(), strategy.revocations()) {
            (Some(rows), _) => self.end_upstream_rows(rows, provider, logout).await,
            (None, Some(revocations)) => self.revoke_upstream(revocations, provider, logout).await,
            (None, None) => {
                tracing::error!(
                    provider,
                    "tokens cannot be ended here: add `.revocation(..)` to the Auth, or `.store(..)`"
                );
                Err(SessionError::new(SessionErrorKind::NoStore))
            }
        }
    }

    async fn end_upstream_rows(
        &self,
        rows: &Rows,
        provider: &str,
        logout: &LogoutToken,
    ) -> Result<(), SessionError> {
        let (Some(subject), Some(stores)) = (&logout.subject, &self.settings.stores) else {
            tracing::error!(
                provider,
                "a session in a store cannot be found by `sid` alone: have the provider send `sub`, too"
            );
            return Err(SessionError::new(SessionErrorKind::NoStore));
        };
        let user = stores.ask(stores.users.user_by_account(provider, subject)).await?;
        let Some(user) = user else { return Ok(()) };
        for row in rows.of_user(&user.id).await? {
            // None: Node has made it, the table has no place for it, or it is older than this setting.
            let is_meant =
                Upstream::of(&row.data).is_none_or(|begun_with| is_of(&begun_with, provider, logout));
            if is_meant {
                rows.end(&row.key).await?;
            }
        }
        Ok(())
    }

    async fn revoke_upstream(
        &self,
        revocations: &Revocations,
        provider: &str,
        logout: &LogoutToken,
    ) -> Result<(), SessionError> {
        let (strategy, now) = (&self.settings.strategy, self.now());
        let upstream =
            Upstream { provider: provider.to_owned(), session: logout.session.clone(), subject: None };
        if let Some(named) = upstream.revoked_as() {
            let revoked = Revoked::Session(named);
            revocations.revoke(&Revocation::new(revoked, now, strategy.last_end(now))).await?;
        }
        for user in self.upstream_users(provider, logout).await? {
            self.revoke_user(&user, now).await?;
        }
        Ok(())
    }

    /// Under whose names those tokens of a user end that do not say which session at the provider they were begun with, and
    /// where the provider does not say that either, those that do.
    async fn upstream_users(
        &self,
        provider: &str,
        logout: &LogoutToken,
    ) -> Result<Vec<String>, SessionError> {
        let Some(subject) = &logout.subject else { return Ok(Vec::new()) };
        let mut users = vec![Upstream::user(provider, subject)];
        if logout.session.is_none() {
            users.push(Upstream::user_in_sessions(provider, subject));
        }
        let user_id = match &self.settings.stores {
            Some(stores) => {
                let user = stores.ask(stores.users.user_by_account(provider, subject)).await?;
                user.map(|user| user.id)
            }
            // The id is the one at the provider, in the dialects that say so.
            None => (!self.settings.rules.random_user_id).then(|| subject.clone()),
        };
        users.extend(user_id.map(|user_id| Upstream::unsaid(&user_id)));
        Ok(users)
    }
}

/// Whether a session that was begun with this one ends with that logout.
fn is_of(begun_with: &Upstream, provider: &str, logout: &LogoutToken) -> bool {
    let may_be =
        |known: &Option<String>, named: &Option<String>| known.is_none() || named.is_none() || known == named;
    begun_with.provider == provider
        && may_be(&begun_with.session, &logout.session)
        && may_be(&begun_with.subject, &logout.subject)
}
