//! The ports for the public types, which keep what they are made of to themselves.

/// Implements all ports for a type whose field `0` is a shared store.
macro_rules! ports {
    ($store:ty) => {
        const _: () = {
            use std::{num::NonZeroUsize, sync::Arc};

            use async_trait::async_trait;
            use serde_json::{Map, Value};

            use $crate::{
                clock::Timestamp,
                store::{
                    Replaced, Result, Revocation, RevocationStore, SessionAndUser, SessionKey, SessionStore,
                    Store, StoredSession, UserChange, UserStore, VerificationToken, VerificationTokenStore,
                },
                user::{Account, ProviderTokens, User},
            };

            $crate::store::sql::delegate! { $store: UserStore {
                create_user(user: &User, account: Option<&Account>) -> User;
                user(id: &str) -> Option<User>;
                user_by_email(email: &str) -> Option<User>;
                user_by_account(provider: &str, provider_account_id: &str) -> Option<User>;
                update_user(id: &str, change: UserChange) -> Option<User>;
                delete_user(id: &str) -> bool;
                link_account(user_id: &str, account: &Account) -> ();
                unlink_account(provider: &str, provider_account_id: &str) -> bool;
                replace_tokens(
                    provider: &str,
                    provider_account_id: &str,
                    before: &ProviderTokens,
                    after: &ProviderTokens
                ) -> bool;
                accounts_of(user_id: &str) -> Vec<Account>;
            } }

            $crate::store::sql::delegate! { $store: SessionStore {
                create_session(session: &StoredSession, limit: Option<NonZeroUsize>) -> ();
                session(key: &SessionKey) -> Option<StoredSession>;
                recent_session(key: &SessionKey) -> Option<Arc<StoredSession>>;
                extend_session(key: &SessionKey, expires: Timestamp, seen: Timestamp) -> bool;
                replace_session_data(key: &SessionKey, version: u64, data: &Map<String, Value>) -> Replaced;
                end_session(key: &SessionKey) -> bool;
                sessions_of(user_id: &str) -> Vec<StoredSession>;
                end_sessions_of(user_id: &str, keep: Option<&SessionKey>) -> u64;
                delete_expired_sessions(now: Timestamp, limit: u32) -> u64;
                => keeps_data() -> bool;
                => report() -> Vec<String>;
            } }

            $crate::store::sql::delegate! { $store: VerificationTokenStore {
                create_verification_token(token: &VerificationToken) -> ();
                use_verification_token(identifier: &str, token: &str) -> Option<VerificationToken>;
                delete_expired_verification_tokens(now: Timestamp, limit: u32) -> u64;
            } }

            $crate::store::sql::delegate! { $store: RevocationStore {
                revoke(revocation: &Revocation) -> ();
                revocations(since: Timestamp) -> Vec<Revocation>;
                delete_expired_revocations(now: Timestamp, limit: u32) -> u64;
            } }

            #[async_trait]
            impl Store for $store {
                async fn session_and_user(&self, key: &SessionKey) -> Result<Option<SessionAndUser>> {
                    self.0.session_and_user(key).await
                }
            }
        };
    };
}

macro_rules! delegate {
    ($store:ty: $port:ident {
        $($method:ident($($name:ident: $type:ty),*) -> $answer:ty;)*
        $(=> $plain:ident() -> $told:ty;)*
    }) => {
        #[async_trait]
        #[deny(clippy::missing_trait_methods)]
        impl $port for $store {
            $(async fn $method(&self, $($name: $type),*) -> Result<$answer> {
                self.0.$method($($name),*).await
            })*

            $(fn $plain(&self) -> $told {
                self.0.$plain()
            })*
        }
    };
}

pub(in crate::store) use delegate;
pub(in crate::store) use ports;
