//! Signing out here and at the provider.

use super::Auth;
use crate::{
    error::{SessionError, SessionErrorKind},
    oauth::LogoutToken,
    session::{LiveSession, Upstream},
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
        let stores = self.settings.stores.as_ref()?;
        let accounts = stores.ask(stores.users.accounts_of(&session.subject()?)).await.ok()?;
        let account = accounts.into_iter().rev().find(|account| account.provider == provider)?;
        self.settings.token_seal.open(&account).ok()?.id_token
    }

    /// Ends the sessions here that were begun with one at a provider, or all of a user of the provider's.
    pub(crate) async fn end_upstream(
        &self,
        provider: &str,
        logout: &LogoutToken,
    ) -> Result<(), SessionError> {
        let upstream = Upstream { provider: provider.to_owned(), session: logout.session.clone() };
        let strategy = &self.settings.strategy;
        if let (Some(named), Some(revocations), None) =
            (upstream.revoked_as(), strategy.revocations(), strategy.rows())
        {
            let now = self.now();
            let revoked = Revoked::Session(named);
            return Ok(revocations.revoke(&Revocation::new(revoked, now, strategy.last_end(now))).await?);
        }
        let (Some(subject), Some(stores)) = (&logout.subject, &self.settings.stores) else {
            tracing::error!(
                provider,
                "a session cannot be found by `sid` alone: have the provider send `sub`, too, and add `.store(..)`, or \
                 `.revocation(..)` where sessions live in tokens"
            );
            return Err(SessionError::new(SessionErrorKind::NoStore));
        };
        let user = stores.ask(stores.users.user_by_account(provider, subject)).await?;
        let Some(user) = user else { return Ok(()) };
        match strategy.rows() {
            Some(rows) => {
                for row in rows.of_user(&user.id).await? {
                    let begun_with = Upstream::of(&row.data);
                    let is_meant = begun_with.is_some_and(|begun_with| {
                        begun_with.provider == provider
                            && (upstream.session.is_none()
                                || begun_with.session.is_none()
                                || begun_with.session == upstream.session)
                    });
                    if is_meant {
                        rows.end(&row.key).await?;
                    }
                }
                Ok(())
            }
            None => self.end_sessions_of(&user.id).await,
        }
    }
}
