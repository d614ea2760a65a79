//! What the store holds after a sign-in, and what the adapter of the recordings was told to write.

use std::{collections::BTreeMap, sync::Arc};

use portcullis::store::{SessionKey, SessionStore, Store, UserStore};
use serde_json::{Map, Value, json};

use super::{super::database::Names, given};
use crate::support::vectors::Vector;

/// Who has an account that the providers of the recordings speak of.
const SUBJECTS: [(&str, &str); 2] = [("acme", "777"), ("myoidc", "oidc-sub-1")];
const ADDRESSES: [&str; 3] = ["acme@example.com", "oidc@example.com", "other@example.com"];

/// The rows of a database, by who they are about.
#[derive(Debug, Default)]
pub(super) struct Rows {
    /// Without their ids.
    pub(super) users: BTreeMap<String, Value>,
    /// Whose accounts were linked, with what is in their columns.
    pub(super) accounts: Vec<(String, Map<String, Value>)>,
    /// Whose sessions were begun, and until when they last.
    pub(super) sessions: Vec<(String, String)>,
}

/// The user whom a sign-in makes is called so by the recordings.
const NEW: &str = "db-user-1";

impl Rows {
    /// What was there, and what the adapter was told since.
    pub(super) fn recorded(vector: &Vector) -> Self {
        let mut rows = Self::default();
        let known = vector.get("config/db/users").as_array().cloned().unwrap_or_default();
        for user in known {
            rows.users.insert(user["id"].as_str().unwrap().to_owned(), given::row(&user));
        }
        for call in vector.list("adapter_calls") {
            let args = &call["args"];
            match call["method"].as_str().unwrap() {
                "createUser" => drop(rows.users.insert(NEW.to_owned(), given::row(&args[0]))),
                // v3 has one argument for each column, of which the first are recorded.
                "linkAccount" if args[0].is_string() => {
                    let account = json!({ "provider": args[1], "type": args[2] });
                    rows.accounts.push((text(&args[0]), given::recorded_account(&account)));
                }
                "linkAccount" => {
                    let mut account = given::recorded_account(&args[0]);
                    let user = account.shift_remove("userId").unwrap();
                    rows.accounts.push((text(&user), account));
                }
                // v3 leaves the end to the adapter.
                "createSession" if args[0].get("userId").is_none() => {
                    rows.sessions.push((text(&args[0]["id"]), String::new()));
                }
                "createSession" => rows.sessions.push((text(&args[0]["userId"]), text(&args[0]["expires"]))),
                _ => {}
            }
        }
        rows
    }

    /// What is in a store, but for the sessions of `before`.
    pub(super) async fn read(
        store: &Arc<dyn Store>,
        names: &Names,
        before: &[SessionKey],
        version: &str,
    ) -> Self {
        let mut rows = Self::default();
        for address in ADDRESSES {
            let Some(user) = store.user_by_email(address).await.unwrap() else { continue };
            let name = names.name_of(&user.id).unwrap().to_owned();
            rows.users.insert(name.clone(), given::row(&given::user(&user, names)));
            for account in store.accounts_of(&user.id).await.unwrap() {
                let is_meant = SUBJECTS.contains(&(&account.provider, &account.provider_account_id));
                let mut columns = given::account(&account);
                // Without tokens it was there before.
                if !is_meant || !columns.contains_key("access_token") {
                    continue;
                }
                if version == "v3" {
                    columns.retain(|name, _| ["provider", "type"].contains(&name.as_str()));
                }
                rows.accounts.push((name.clone(), columns));
            }
            for session in store.sessions_of(&user.id).await.unwrap() {
                if !before.contains(&session.key) {
                    let expires = if version == "v3" { String::new() } else { at(session.expires.as_secs()) };
                    rows.sessions.push((name.clone(), expires));
                }
            }
        }
        rows
    }
}

/// The sessions of everybody whom the recordings name.
pub(super) async fn sessions(store: &Arc<dyn Store>) -> Vec<SessionKey> {
    let mut keys = Vec::new();
    for address in ADDRESSES {
        if let Some(user) = store.user_by_email(address).await.unwrap() {
            let sessions = store.sessions_of(&user.id).await.unwrap();
            keys.extend(sessions.into_iter().map(|session| session.key));
        }
    }
    keys
}

/// The ids of everybody.
pub(super) async fn users(store: &Arc<dyn Store>) -> Vec<String> {
    let mut ids = Vec::new();
    for address in ADDRESSES {
        ids.extend(store.user_by_email(address).await.unwrap().map(|user| user.id));
    }
    ids
}

fn text(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

/// As JavaScript writes it.
fn at(seconds: i64) -> String {
    portcullis::Timestamp::from_secs(seconds).to_string()
}
