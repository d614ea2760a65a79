//! The recorded database.

use std::{collections::BTreeMap, sync::Arc};

use cookie::time::{OffsetDateTime, format_description::well_known::Rfc3339};
use portcullis::{
    Account, Timestamp, User,
    store::{
        SessionKey, SessionStore, Store, StoredSession, UserStore, VerificationToken, VerificationTokenStore,
    },
};
use serde_json::{Value, json};

/// What is put behind the recorded ids of sessions: `tok-1` is too short to be looked up.
pub(super) const LENGTHENED: &str = "-and-as-long-as-those-of-node";

/// Who is who in a store: ids are the store's own.
#[derive(Clone, Default)]
pub(super) struct Names(BTreeMap<String, String>);

impl Names {
    /// Fills a store with what is recorded.
    pub(super) async fn fill(store: &Arc<dyn Store>, recorded: &Value) -> Self {
        let mut names = Self(BTreeMap::from([(String::new(), String::new())]));
        let list = |name: &str| recorded[name].as_array().cloned().unwrap_or_default();
        for row in list("users") {
            let mut user = User::new("").email(text(&row, "email"));
            user.name = row["name"].as_str().map(str::to_owned);
            let made = store.create_user(&user, None).await.unwrap();
            names.0.insert(made.id, text(&row, "id").to_owned());
        }
        for row in list("accounts") {
            // v3 records one as a number, others as both.
            let id = row["providerAccountId"].to_string().replace('"', "");
            if store.user_by_account("acme", &id).await.unwrap().is_none() {
                let account = Account::new("oauth", "acme", id);
                store.link_account(names.id_of(text(&row, "userId")), &account).await.unwrap();
            }
        }
        for row in list("sessions") {
            let (key, user) = (
                SessionKey::new(format!("{}{LENGTHENED}", text(&row, "sessionToken"))),
                names.id_of(text(&row, "userId")),
            );
            store.create_session(&StoredSession::new(key, user, expires(&row)), None).await.unwrap();
        }
        for row in list("tokens") {
            let token = VerificationToken::new(text(&row, "identifier"), text(&row, "token"), expires(&row));
            store.create_verification_token(&token).await.unwrap();
        }
        names
    }

    /// The id of whom the recording calls so.
    pub(super) fn id_of(&self, recorded: &str) -> &str {
        let id = self.0.iter().find(|(_, name)| *name == recorded).map(|(id, _)| id.as_str());
        id.unwrap_or_else(|| panic!("there is no {recorded}"))
    }

    /// The recorded name of whoever has this id.
    #[cfg(feature = "oauth")]
    pub(super) fn name_of(&self, id: &str) -> Option<&str> {
        self.0.get(id).map(String::as_str)
    }

    /// Knows whom the recordings have made, too.
    #[cfg(feature = "oauth")]
    pub(super) fn learn(&mut self, id: String) {
        self.0.entry(id).or_insert_with(|| "db-user-1".to_owned());
    }

    /// Claims with the user by the recorded name.
    pub(super) fn recorded(&self, mut claims: Value) -> Value {
        let Some(subject) = claims.get("sub").and_then(Value::as_str) else { return claims };
        if let Some(name) = self.0.get(subject) {
            claims["sub"] = json!(name);
        } else if !self.0.is_empty() && subject.len() == 36 {
            claims["sub"] = json!("db-user-1");
        }
        claims
    }
}

fn text<'r>(row: &'r Value, column: &str) -> &'r str {
    row[column].as_str().unwrap_or_else(|| panic!("no text {column}: {row}"))
}

fn expires(row: &Value) -> Timestamp {
    Timestamp::from_secs(OffsetDateTime::parse(text(row, "expires"), &Rfc3339).unwrap().unix_timestamp())
}
