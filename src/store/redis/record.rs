//! What stands under a key: the JSON of the Upstash adapter, with members of ours that it leaves alone.

use std::borrow::Cow;

use serde_json::{Map, Value};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::{
    clock::Timestamp,
    store::{
        Result, Revocation, Revoked, SessionKey, StoreError, StoredSession, UserChange, VerificationToken,
    },
    user::{Account, ProviderTokens, User},
};

pub(super) type Record = Map<String, Value>;

/// What stands under the key of a user who was deleted, or whose making was given up. To Node it is nobody.
pub(super) const DEAD: &str = "null";

/// The members of a user that are not the application's own.
const OF_USER: [&str; 5] = ["id", "name", "email", "emailVerified", "image"];

/// The JSON object in a text.
pub(super) fn record(text: &str) -> Result<Record> {
    match serde_json::from_str(text) {
        Ok(Value::Object(record)) => Ok(record),
        _ => Err(corrupt("something else than a JSON object")),
    }
}

pub(super) fn text(record: Record) -> String {
    Value::Object(record).to_string()
}

pub(super) fn user_record(user: &User) -> Record {
    let mut record = Record::new();
    record.insert("id".into(), user.id.as_str().into());
    put(&mut record, "name", user.name.as_deref());
    put(&mut record, "email", user.email.as_deref());
    record.insert("emailVerified".into(), user.email_verified.map_or(Value::Null, date));
    put(&mut record, "image", user.image.as_deref());
    extend(&mut record, &user.extra);
    record
}

/// The user with this id, if the record is one: the same text may be the end of another key.
pub(super) fn user(record: &Record, id: &str) -> Result<Option<User>> {
    if !is(record, "id", id) {
        return Ok(None);
    }
    let mut user = User::new(id);
    user.name = member(record, "name")?;
    user.email = member(record, "email")?;
    user.email_verified = time(record, "emailVerified")?;
    user.image = member(record, "image")?;
    user.extra = record
        .iter()
        .filter(|(name, _)| !OF_USER.contains(&name.as_str()))
        .map(|(name, value)| (name.clone(), value.clone()))
        .collect();
    Ok(Some(user))
}

/// Changes the members that change, and none besides, those of other programs included.
pub(super) fn change_user(record: &mut Record, change: &UserChange) {
    put(record, "name", change.name.as_deref());
    let other_email = change.email.as_deref().is_some_and(|email| !is(record, "email", email));
    put(record, "email", change.email.as_deref());
    if other_email || change.email_verified.is_some() {
        record.insert("emailVerified".into(), change.email_verified.map_or(Value::Null, date));
    }
    put(record, "image", change.image.as_deref());
    extend(record, &change.extra);
}

pub(super) fn account_record(user: &str, account: &Account) -> Record {
    let mut record = Record::new();
    record.insert("userId".into(), user.into());
    record.insert("provider".into(), account.provider.as_str().into());
    record.insert("type".into(), account.kind.as_ref().into());
    record.insert("providerAccountId".into(), account.provider_account_id.as_str().into());
    set_tokens(&mut record, &account.tokens);
    record.insert("id".into(), format!("{}:{}", account.provider, account.provider_account_id).into());
    record
}

/// What there is none of has no member.
pub(super) fn set_tokens(record: &mut Record, tokens: &ProviderTokens) {
    let text = |text: &Option<String>| text.as_deref().map(Value::from);
    for (name, value) in [
        ("access_token", text(&tokens.access_token)),
        ("refresh_token", text(&tokens.refresh_token)),
        ("expires_at", tokens.expires_at.map(Value::from)),
        ("id_token", text(&tokens.id_token)),
        ("scope", text(&tokens.scope)),
        ("token_type", text(&tokens.token_type)),
        ("session_state", text(&tokens.session_state)),
    ] {
        match value {
            Some(value) => record.insert(name.into(), value),
            None => record.shift_remove(name),
        };
    }
}

/// Whose account this is; nobody's if the record is about another.
pub(super) fn account_owner<'a>(record: &'a Record, provider: &str, id: &str) -> Option<&'a str> {
    let same = is(record, "provider", provider) && is(record, "providerAccountId", id);
    same.then(|| record.get("userId")?.as_str()).flatten()
}

pub(super) fn account(record: &Record) -> Result<Account> {
    let needed =
        |name| member(record, name)?.ok_or_else(|| corrupt("an account without provider, type or id"));
    let mut account =
        Account::new(Cow::Owned(needed("type")?), needed("provider")?, needed("providerAccountId")?);
    account.tokens = ProviderTokens::default();
    account.tokens.access_token = member(record, "access_token")?;
    account.tokens.refresh_token = member(record, "refresh_token")?;
    account.tokens.id_token = member(record, "id_token")?;
    account.tokens.expires_at = record.get("expires_at").and_then(Value::as_i64);
    account.tokens.token_type = member(record, "token_type")?;
    account.tokens.scope = member(record, "scope")?;
    account.tokens.session_state = member(record, "session_state")?;
    Ok(account)
}

pub(super) fn session_record(session: &StoredSession) -> Record {
    let mut record = Record::new();
    record.insert("sessionToken".into(), session.key.as_str().into());
    record.insert("userId".into(), session.user_id.as_str().into());
    record.insert("expires".into(), date(session.expires));
    for (name, at) in [("created", session.created), ("lastSeen", session.last_seen)] {
        if let Some(at) = at {
            record.insert(name.into(), date(at));
        }
    }
    put(&mut record, "address", session.address.as_deref());
    put(&mut record, "userAgent", session.user_agent.as_deref());
    if session.version != 0 || !session.data.is_empty() {
        set_data(&mut record, session.version, &session.data);
    }
    record
}

pub(super) fn set_data(record: &mut Record, version: u64, data: &Map<String, Value>) {
    record.insert("version".into(), version.into());
    record.insert("data".into(), Value::Object(data.clone()));
}

pub(super) fn set_end(record: &mut Record, expires: Timestamp, seen: Timestamp) {
    record.insert("expires".into(), date(expires));
    record.insert("lastSeen".into(), date(seen));
}

/// The session with this key, if the record is one and is somebody's.
pub(super) fn session(record: &Record, key: &SessionKey) -> Result<Option<StoredSession>> {
    let Some(user) = record.get("userId").and_then(Value::as_str) else { return Ok(None) };
    if !is(record, "sessionToken", key.as_str()) {
        return Ok(None);
    }
    let expires = time(record, "expires")?.ok_or_else(|| corrupt("a session without an end"))?;
    let mut session = StoredSession::new(key.clone(), user, expires);
    session.created = time(record, "created")?;
    session.last_seen = time(record, "lastSeen")?;
    session.address = member(record, "address")?;
    session.user_agent = member(record, "userAgent")?;
    session.version = match record.get("version") {
        None => 0,
        Some(version) => version.as_u64().ok_or_else(|| corrupt("a session with a version that is none"))?,
    };
    session.data = match record.get("data") {
        None => Map::new(),
        Some(Value::Object(data)) => data.clone(),
        Some(_) => return Err(corrupt("a session with data that are no object")),
    };
    Ok(Some(session))
}

pub(super) fn token_record(token: &VerificationToken) -> Record {
    let mut record = Record::new();
    record.insert("identifier".into(), token.identifier.as_str().into());
    record.insert("token".into(), token.token.as_str().into());
    record.insert("expires".into(), date(token.expires));
    record
}

pub(super) fn token(record: &Record) -> Result<VerificationToken> {
    let needed = |name| member(record, name)?.ok_or_else(|| corrupt("a token without identifier or hash"));
    let expires = time(record, "expires")?.ok_or_else(|| corrupt("a token without an end"))?;
    Ok(VerificationToken::new(needed("identifier")?, needed("token")?, expires))
}

/// How a revocation stands in its hash: under what it is about, with its two times.
pub(super) fn revoked(subject: &Revoked) -> String {
    match subject {
        Revoked::Session(id) => format!("session:{id}"),
        Revoked::User(id) => format!("user:{id}"),
    }
}

pub(super) fn revocation(subject: &str, at: i64, expires: i64) -> Result<Revocation> {
    let subject = match subject.split_once(':') {
        Some(("session", id)) => Revoked::Session(id.into()),
        Some(("user", id)) => Revoked::User(id.into()),
        _ => return Err(corrupt("a revocation of something unknown")),
    };
    Ok(Revocation::new(subject, Timestamp::from_millis(at), Timestamp::from_millis(expires)))
}

pub(super) fn corrupt(what: &'static str) -> StoreError {
    StoreError::corrupt(what)
}

fn put(record: &mut Record, name: &str, value: Option<&str>) {
    if let Some(value) = value {
        record.insert(name.into(), value.into());
    }
}

fn extend(record: &mut Record, extra: &Record) {
    let own = extra.iter().filter(|(name, _)| !OF_USER.contains(&name.as_str()));
    record.extend(own.map(|(name, value)| (name.clone(), value.clone())));
}

fn is(record: &Record, name: &str, value: &str) -> bool {
    record.get(name).and_then(Value::as_str) == Some(value)
}

fn member(record: &Record, name: &str) -> Result<Option<String>> {
    match record.get(name) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(_) => Err(corrupt("a member that should be text")),
    }
}

fn date(at: Timestamp) -> Value {
    at.to_string().into()
}

fn time(record: &Record, name: &str) -> Result<Option<Timestamp>> {
    let Some(text) = member(record, name)? else { return Ok(None) };
    let at = OffsetDateTime::parse(&text, &Rfc3339).map_err(|_| corrupt("a date that is none"))?;
    Ok(Some(Timestamp::from_millis(at.unix_timestamp() * 1000 + i64::from(at.millisecond()))))
}
