//! What comes from outside is data to every store, and never part of a query or of another's key: row S91 of
//! `docs/security.md`. Names of tables are checked in `tests/sql`, what keys look like in `tests/redis`.

use std::sync::Arc;

use portcullis::{
    Account, SessionIds, User,
    store::{SessionKey, Store},
};
use serde_json::json;

use crate::{
    accounts::enter,
    mail::{ask, link, mailing},
    site::{COOKIE, act, browser, site},
    stores::on_each_store,
};

on_each_store![
    s91_cookies_are_no_queries,
    s91_accounts_with_quotes_and_separators,
    s91_addresses_with_quotes,
    s91_data_with_quotes,
];

/// What quotes, wildcards, escapes and separators would do where somebody joined texts.
const HOSTILE: &[&str] = &[
    "'or'1'='1'--0123456789",
    "\"or\"\"=\"0123456789abcdef",
    "`;drop/**/table/**/sessions;--",
    "%%%%%%%%%%%%%%%%%%%%",
    "____________________",
    "********************",
    "\\'or/**/1=1;--0123456789",
    "$1$2:id?@p1?1{0}%s%d#####",
    "0x27204f52203120%27%00%0d%0a",
    "user:session:by-user-id:1",
    "*1\\r\\n$8\\r\\nFLUSHALL\\r\\n",
];

/// With hashed ids, and with raw ones, where the cookie is the key.
async fn s91_cookies_are_no_queries(store: Arc<dyn Store>) {
    for ids in [SessionIds::Hashed, SessionIds::Raw] {
        let auth = site(&store).1.session_ids(ids).build().unwrap();
        let mut here = browser(&auth);
        here.sign_in("jsmith", "hunter2").await;
        let (who, token) = (here.who().await, here.jar[COOKIE].clone());
        let mut sent: Vec<String> = HOSTILE.iter().map(|text| (*text).to_owned()).collect();
        // The good one, and more.
        for (before, after) in
            [("", "'--"), ("", "%"), ("", ":"), ("*", ""), ("session:", ""), ("", "\\"), ("{", "}")]
        {
            sent.push(format!("{before}{token}{after}"));
        }
        let flipped =
            |c: char| if c.is_ascii_lowercase() { c.to_ascii_uppercase() } else { c.to_ascii_lowercase() };
        sent.push(token.chars().map(flipped).collect());
        sent.push(token.replace(|c: char| c.is_ascii_digit(), "_"));
        for text in &sent {
            let bearer = format!("Bearer {text}");
            let mut api = browser(&auth).with_header("authorization", &bearer);
            assert_eq!(browser(&auth).with_cookie(COOKIE, text).who().await, "nobody", "{ids:?} {text}");
            assert_eq!(api.who().await, "nobody", "{ids:?} {text}");
            assert!(store.session(&SessionKey::new(text.as_str())).await.unwrap().is_none(), "{text}");
            assert!(!store.end_session(&SessionKey::new(text.as_str())).await.unwrap(), "{text}");
        }
        assert_eq!(here.who().await, who);
        assert!(sent.iter().all(|text| text != &token));
    }
}

async fn s91_accounts_with_quotes_and_separators(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut users = vec![];
    for text in HOSTILE {
        for account in [Account::new("oauth", "acme", *text), Account::new("oauth", *text, "1")] {
            let mut both = [browser(&auth), browser(&auth)];
            for browser in &mut both {
                enter(&auth, browser, &User::new("").name(*text), &account).await.unwrap();
            }
            let [one, two] = &mut both;
            let who = one.who().await;
            assert_eq!(two.who().await, who);
            assert!(!users.contains(&who), "{account:?}");
            assert_eq!(store.accounts_of(&who).await.unwrap(), [account]);
            assert_eq!(one.session().await["user"]["name"], *text);
            users.push(who);
        }
    }
    // As the id of a user each of them is nobody's.
    for text in HOSTILE {
        assert!(store.user(text).await.unwrap().is_none());
        assert!(!auth.delete_user(text).await.unwrap());
        auth.end_sessions_of(text).await.unwrap();
        assert!(!auth.end_session(&users[0], text).await.unwrap());
    }
    for user in &users {
        assert_eq!(store.sessions_of(user).await.unwrap().len(), 2);
    }
}

/// Those that are an address at all.
async fn s91_addresses_with_quotes(store: Arc<dyn Store>) {
    let (_, builder, mailbox) = mailing(&store);
    let auth = builder.build().unwrap();
    let mut users = vec![];
    for address in [
        "o'hara@example.com",
        "%@example.com",
        "_@example.com",
        "a_b@example.com",
        "a%b@example.com",
        "axb@example.com",
        "*@example.com",
        "{a}@example.com",
        "`a`@example.com",
    ] {
        ask(&mut browser(&auth), address).await;
        let link = link(&mailbox.take()[0]);
        let mut here = browser(&auth);
        here.get(&link).await;
        assert_eq!(here.session().await["user"]["email"], address);
        let who = here.who().await;
        assert!(!users.contains(&who), "{address}");
        users.push(who);
    }
}

async fn s91_data_with_quotes(store: Arc<dyn Store>) {
    let auth = site(&store).1.build().unwrap();
    let mut here = browser(&auth);
    here.sign_in("jsmith", "hunter2").await;
    let data = act(&auth, &mut here, async |context| {
        let fill = |data: &mut serde_json::Map<_, _>| {
            data.extend(HOSTILE.iter().map(|text| ((*text).to_owned(), json!(*text))));
        };
        context.change_data(fill).await.unwrap().unwrap()
    })
    .await;
    let who = here.who().await;
    let row = store.sessions_of(&who).await.unwrap().remove(0);
    assert_eq!(row.data, data);
    assert!(HOSTILE.iter().all(|text| row.data[*text] == *text));
}
