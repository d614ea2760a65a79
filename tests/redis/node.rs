//! The keys of `@auth/upstash-redis-adapter`: what its recorded commands wrote is read, and what is written here is
//! what it writes (`tests/vectors/adapter_redis.json`).

use std::fs;

use portcullis::{
    Account, ProviderTokens, User,
    store::{
        RedisStore, SessionStore, Store, StoredSession, UpstashKeys, UserChange, UserStore,
        VerificationToken, VerificationTokenStore,
    },
};
use serde_json::{Map, Value, json};

use crate::support::{Bed, Raw, assert_conflict, beds, fresh, key};

fn vectors() -> Vec<Value> {
    let text = fs::read_to_string("tests/vectors/adapter_redis.json").unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// The two walks of the adapter: with its defaults, and with a `baseKeyPrefix`.
fn walks() -> [(String, Vec<Value>); 2] {
    ["0", "1"].map(|walk| {
        let of_walk = |vector: &&Value| vector["id"].as_str().unwrap().split('/').nth(1) == Some(walk);
        let steps: Vec<_> = vectors().iter().filter(of_walk).cloned().collect();
        let base = steps[0]["options"]["baseKeyPrefix"].as_str().unwrap_or_default().to_owned();
        assert!(steps.len() > 35);
        (base, steps)
    })
}

/// A bed in which the keys of a walk are, behind a prefix of this test's.
async fn walk_beds(base: &str) -> Vec<(RedisStore, Raw, String)> {
    beds()
        .await
        .into_iter()
        .filter(|bed| bed.upstash)
        .map(|Bed { store, raw, .. }| {
            let ours = format!("{}:", fresh("walk"));
            (store.upstash(&UpstashKeys::new().base_key_prefix(format!("{ours}{base}"))), raw, ours)
        })
        .collect()
}

/// A user as the adapter answers them.
fn as_node(user: &User) -> Value {
    let mut shown = json!({ "id": user.id, "emailVerified": user.email_verified });
    for (name, value) in [("name", &user.name), ("email", &user.email), ("image", &user.image)] {
        if let Some(value) = value {
            shown[name] = value.as_str().into();
        }
    }
    shown
}

/// What the adapter answered, without what says nothing: we do not tell a null from a member that is missing.
fn expected(user: &Value) -> Value {
    let mut user = user.as_object().cloned().unwrap_or_default();
    user.retain(|name, value| name == "emailVerified" || !value.is_null());
    user.entry("emailVerified").or_insert(Value::Null);
    Value::Object(user)
}

#[tokio::test]
async fn what_node_has_written_is_read() {
    for (base, steps) in walks() {
        for (store, raw, ours) in walk_beds(&base).await {
            let mut compared = 0;
            for step in &steps[1..] {
                let case = step["case"].as_str().unwrap();
                let Some(commands) = step["commands"].as_array() else { continue };
                let asked = commands[0][1].as_str().unwrap().strip_prefix(&base).unwrap();
                let returns = &step["returns"];
                let found = match case.split('/').next().unwrap() {
                    "getUser" => store.user(asked.strip_prefix("user:").unwrap()).await.unwrap(),
                    "getUserByEmail" => {
                        store.user_by_email(asked.strip_prefix("user:email:").unwrap()).await.unwrap()
                    }
                    "getUserByAccount" => {
                        let (provider, id) =
                            asked.strip_prefix("user:account:").unwrap().split_once(':').unwrap();
                        store.user_by_account(provider, id).await.unwrap()
                    }
                    "getSessionAndUser" => {
                        let asked = key(asked.strip_prefix("user:session:").unwrap());
                        let found = store.session_and_user(&asked).await.unwrap();
                        compared += 1;
                        assert_eq!(found.is_some(), !returns.is_null(), "{case}");
                        if let Some(found) = found {
                            assert_eq!(as_node(&found.user), expected(&returns["user"]), "{case}");
                            let session = &found.session;
                            let shown = json!({
                                "sessionToken": asked.as_str(), "userId": session.user_id,
                                "expires": session.expires,
                            });
                            assert_eq!(shown, returns["session"], "{case}");
                            let listed = store.sessions_of(&session.user_id).await.unwrap();
                            assert!(listed.contains(session), "{case}");
                        }
                        continue;
                    }
                    "useVerificationToken" => {
                        let (identifier, token) =
                            asked.strip_prefix("user:token:").unwrap().rsplit_once(':').unwrap();
                        let used = store.use_verification_token(identifier, token).await.unwrap();
                        let used = used.map_or(Value::Null, |used| {
                            json!({
                                "identifier": used.identifier, "token": used.token, "expires": used.expires,
                            })
                        });
                        compared += 1;
                        assert_eq!(&used, returns, "{case}");
                        continue;
                    }
                    _ => {
                        replay(&raw, &ours, commands).await;
                        continue;
                    }
                };
                compared += 1;
                let found = found.as_ref().map_or(Value::Null, as_node);
                let returns = if returns.is_null() { Value::Null } else { expected(returns) };
                assert_eq!(found, returns, "{case}");
            }
            assert!(compared > 15, "{compared}");
            // A session without a user is nobody's, and a user without an address is one.
            assert_eq!(store.session(&key("t2")).await.unwrap(), None);
            assert_eq!(store.user("nope").await.unwrap().unwrap().name.as_deref(), Some("X"));
        }
    }
}

/// Writes what the adapter has written.
async fn replay(raw: &Raw, ours: &str, commands: &[Value]) {
    for command in commands {
        let words: Vec<_> = command.as_array().unwrap().iter().map(|word| word.as_str().unwrap()).collect();
        match words[..] {
            ["set", key, value] => {
                let is_key = value.starts_with("user:") || value.starts_with("app:");
                let value = if is_key { format!("{ours}{value}") } else { value.to_owned() };
                raw.set(&format!("{ours}{key}"), &value).await;
            }
            ["del", ref keys @ ..] => {
                for key in keys {
                    raw.del(&format!("{ours}{key}")).await;
                }
            }
            _ => assert_eq!(words[0], "get"),
        }
    }
}

/// What the commands of a step wrote under the key that begins so.
fn written(steps: &[Value], case: &str, prefix: &str) -> Value {
    let step = steps.iter().find(|step| step["case"] == case).unwrap();
    let commands = step["commands"].as_array().unwrap();
    let command = commands
        .iter()
        .find(|command| command[0] == "set" && command[1].as_str().unwrap().contains(prefix))
        .unwrap();
    serde_json::from_str(command[2].as_str().unwrap()).unwrap()
}

#[tokio::test]
async fn what_is_written_is_what_node_writes() {
    for (base, steps) in walks() {
        for (store, raw, ours) in walk_beds(&base).await {
            let prefix = format!("{ours}{base}user:");
            let read = async |key: String| -> Value {
                serde_json::from_str(&raw.get(&format!("{prefix}{key}")).await.unwrap()).unwrap()
            };
            let text = async |key: String| raw.get(&format!("{prefix}{key}")).await;

            let mut theirs = written(&steps, "createUser", "user:");
            let email = theirs["email"].as_str().unwrap().to_owned();
            let new = User::new("").name(theirs["name"].as_str().unwrap()).email(&email);
            let new = new.image(theirs["image"].as_str().unwrap());
            let user = store.create_user(&new, None).await.unwrap();
            let id = &user.id;
            theirs["id"] = id.as_str().into();
            assert_eq!(read(id.clone()).await, theirs);
            assert_eq!(text(format!("email:{email}")).await.as_ref(), Some(id));
            // The adapter makes a second user with this address.
            assert_conflict(store.create_user(&new, None).await);

            let mut change = UserChange::default();
            let verified = written(&steps, "updateUser/emailVerified_only", "user:");
            theirs["emailVerified"] = verified["emailVerified"].clone();
            change.email_verified = Some(timestamp(&verified["emailVerified"]));
            store.update_user(id, change).await.unwrap();
            assert_eq!(read(id.clone()).await, theirs);

            let mut theirs = written(&steps, "linkAccount", "user:account:acme");
            theirs["userId"] = id.as_str().into();
            theirs.as_object_mut().unwrap().shift_remove("unknown_field");
            let member = |name: &str| theirs[name].as_str().map(str::to_owned);
            let mut account = Account::new("oauth", "acme", "777");
            account.tokens.access_token = member("access_token");
            account.tokens.refresh_token = member("refresh_token");
            account.tokens.id_token = member("id_token");
            account.tokens.scope = member("scope");
            account.tokens.token_type = member("token_type");
            account.tokens.session_state = member("session_state");
            account.tokens.expires_at = theirs["expires_at"].as_i64();
            store.link_account(id, &account).await.unwrap();
            assert_eq!(read("account:acme:777".into()).await, theirs);
            let last = text(format!("account:by-user-id:{id}")).await;
            assert_eq!(last, Some(format!("{prefix}account:acme:777")));
            assert_conflict(store.link_account(id, &account).await);
            let mut theirs = written(&steps, "linkAccount/minimal", "user:account:beta");
            theirs["userId"] = id.as_str().into();
            store.link_account(id, &Account::new("oidc", "beta", "b1")).await.unwrap();
            assert_eq!(read("account:beta:b1".into()).await, theirs);

            let mut theirs = written(&steps, "createSession", "user:session:");
            let token = theirs["sessionToken"].as_str().unwrap().to_owned();
            theirs["userId"] = id.as_str().into();
            let session = StoredSession::new(key(&token), id, timestamp(&theirs["expires"]));
            store.create_session(&session, None).await.unwrap();
            assert_eq!(read(format!("session:{token}")).await, theirs);
            let last = text(format!("session:by-user-id:{id}")).await;
            assert_eq!(last, Some(format!("{prefix}session:{token}")));
            assert_conflict(store.create_session(&session, None).await);
            theirs["expires"] = written(&steps, "updateSession", "user:session:")["expires"].clone();
            let extended = store.extend_session(&session.key, timestamp(&theirs["expires"]), session.expires);
            assert!(extended.await.unwrap());
            let mut found = read(format!("session:{token}")).await;
            // A member that the adapter hands on.
            assert!(found.as_object_mut().unwrap().shift_remove("lastSeen").is_some());
            assert_eq!(found, theirs);

            let theirs = written(&steps, "createVerificationToken", "user:token:");
            let member = |name: &str| theirs[name].as_str().unwrap().to_owned();
            let (identifier, hash) = (member("identifier"), member("token"));
            let token_row = VerificationToken::new(&identifier, &hash, timestamp(&theirs["expires"]));
            store.create_verification_token(&token_row).await.unwrap();
            assert_eq!(read(format!("token:{identifier}:{hash}")).await, theirs);
            assert!(store.use_verification_token(&identifier, &hash).await.unwrap().is_some());
            assert_eq!(text(format!("token:{identifier}:{hash}")).await, None);

            assert!(store.end_session(&session.key).await.unwrap());
            assert_eq!(text(format!("session:{token}")).await, None);
            assert_eq!(text(format!("session:by-user-id:{id}")).await, None);

            let mut theirs = read("account:acme:777".into()).await;
            theirs["unknown_field"] = json!({"n": 1});
            raw.set(&format!("{prefix}account:acme:777"), &theirs.to_string()).await;
            let mut after = ProviderTokens::default();
            after.access_token = Some("after".to_owned());
            assert!(store.replace_tokens("acme", "777", &account.tokens, &after).await.unwrap());
            assert!(!store.replace_tokens("acme", "777", &account.tokens, &after).await.unwrap());
            theirs["access_token"] = "after".into();
            let given = ["refresh_token", "expires_at", "id_token", "scope", "token_type", "session_state"];
            theirs.as_object_mut().unwrap().retain(|name, _| !given.contains(&name.as_str()));
            assert_eq!(read("account:acme:777".into()).await, theirs, "the adapter's own stay");
            assert!(store.unlink_account("acme", "777").await.unwrap());
            assert_eq!(text("account:acme:777".into()).await, None);
            store.create_session(&session, None).await.unwrap();
            assert!(store.delete_user(id).await.unwrap());
            // What the adapter's client reads as no value.
            assert_eq!(text(id.clone()).await.as_deref(), Some("null"));
            let left = raw.keys(&format!("{ours}{base}")).await;
            assert_eq!(left, [format!("{prefix}{id}")]);
        }
    }
}

fn timestamp(text: &Value) -> portcullis::Timestamp {
    let text = text.as_str().unwrap();
    let days = |year: i64, month: i64, day: i64| {
        // Days since 1970, after Howard Hinnant's well-known formula.
        let year = if month <= 2 { year - 1 } else { year };
        let (era, of_era) = (year.div_euclid(400), year.rem_euclid(400));
        let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
        era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468
    };
    let number = |range: std::ops::Range<usize>| text[range].parse::<i64>().unwrap();
    let seconds = days(number(0..4), number(5..7), number(8..10)) * 86_400
        + number(11..13) * 3600
        + number(14..16) * 60
        + number(17..19);
    let at = portcullis::Timestamp::from_millis(seconds * 1000 + number(20..23));
    assert_eq!(at.to_string(), text);
    at
}

/// What proved one address proves no other, also to Node, which takes what stands there.
#[tokio::test]
async fn a_changed_email_is_unproved_to_node() {
    for (store, raw, ours) in walk_beds("").await {
        let key = format!("{ours}user:u1");
        let mut record = json!({ "id": "u1", "email": "old@example.com",
            "emailVerified": "2026-01-15T12:00:00.000Z", "plan": "pro" });
        raw.set(&key, &record.to_string()).await;
        raw.set(&format!("{ours}user:email:old@example.com"), "u1").await;
        for email in ["old@example.com", "new@example.com"] {
            let mut change = UserChange::default();
            change.email = Some(email.to_owned());
            store.update_user("u1", change).await.unwrap();
            if email != record["email"] {
                record["email"] = email.into();
                record["emailVerified"] = Value::Null;
            }
            let written: Value = serde_json::from_str(&raw.get(&key).await.unwrap()).unwrap();
            assert_eq!(written, record);
        }
    }
}

/// Node and this program on one session: each goes on with what the other has written.
#[tokio::test]
async fn node_and_this_program_continue_each_others_sessions() {
    for (store, raw, ours) in walk_beds("").await {
        let prefix = format!("{ours}user:");
        raw.set(&format!("{prefix}u1"), r#"{"id":"u1","name":"Pat","emailVerified":null,"plan":"pro"}"#)
            .await;
        let record = json!({ "sessionToken": "n", "userId": "u1", "expires": "2126-01-15T12:00:00.000Z" });
        raw.set(&format!("{prefix}session:n"), &record.to_string()).await;
        raw.set(&format!("{prefix}session:by-user-id:u1"), &format!("{prefix}session:n")).await;

        let found = store.session_and_user(&key("n")).await.unwrap().unwrap();
        assert_eq!(found.user.get_str("plan"), Some("pro"));
        assert_eq!(found.session.version, 0);
        assert_eq!(raw.ttl(&format!("{prefix}session:n")).await, -1);
        let later = timestamp(&json!("2126-01-16T12:00:00.000Z"));
        assert!(store.extend_session(&key("n"), later, found.session.expires).await.unwrap());
        assert!(raw.ttl(&format!("{prefix}session:n")).await > 0, "it has a time to live by now");
        let data: Map<_, _> = [("theme".to_owned(), json!("dark"))].into_iter().collect();
        store.replace_session_data(&key("n"), 0, &data).await.unwrap();

        // Node extends it: it reads, changes and writes the whole of it.
        let mut record: Value =
            serde_json::from_str(&raw.get(&format!("{prefix}session:n")).await.unwrap()).unwrap();
        record["expires"] = json!("2126-01-17T12:00:00.000Z");
        raw.set(&format!("{prefix}session:n"), &record.to_string()).await;
        let found = store.session(&key("n")).await.unwrap().unwrap();
        assert_eq!((found.version, &found.data), (1, &data));
        assert_eq!(found.expires, timestamp(&record["expires"]));

        // Node begins another, which is its last one; ours is listed as well, and all can be ended.
        let record = json!({ "sessionToken": "m", "userId": "u1", "expires": "2126-01-15T12:00:00.000Z" });
        raw.set(&format!("{prefix}session:m"), &record.to_string()).await;
        raw.set(&format!("{prefix}session:by-user-id:u1"), &format!("{prefix}session:m")).await;
        assert_eq!(store.sessions_of("u1").await.unwrap().len(), 2);
        assert_eq!(store.end_sessions_of("u1", Some(&key("m"))).await.unwrap(), 1);
        assert_eq!(store.sessions_of("u1").await.unwrap()[0].key, key("m"));
        assert_eq!(store.end_sessions_of("u1", None).await.unwrap(), 1);
        assert_eq!(raw.get(&format!("{prefix}session:m")).await, None);
        assert!(!store.report().is_empty());
    }
}
