//! The running script, as the adapter that it drives.

use std::{
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Child, ChildStdin, ChildStdout, Command, Stdio},
};

use portcullis::{
    Account, Timestamp, User,
    store::{SessionKey, StoredSession, VerificationToken},
};
use serde_json::{Value, json};
use time::{OffsetDateTime, format_description::well_known::Rfc3339};

use crate::server;

/// An adapter of Auth.js. A method that fails there fails the test.
pub struct Peer {
    child: Child,
    requests: Option<ChildStdin>,
    answers: BufReader<ChildStdout>,
}

impl Peer {
    /// Nothing where Node is missing and that is allowed.
    pub fn start(arguments: &[&str]) -> Option<Self> {
        match spawn(arguments) {
            Ok(mut child) => {
                let requests = child.stdin.take();
                let answers = BufReader::new(child.stdout.take().unwrap());
                Some(Self { child, requests, answers })
            }
            Err(why) => {
                server::left_out_without_node(&format!("no database was shared with Node; {why}"));
                None
            }
        }
    }

    /// What the database's own client answers: to SQL, or to the words of a Redis command.
    pub fn raw(&mut self, arguments: Value) -> Value {
        self.call("raw", arguments)
    }

    pub fn create_user(&mut self, user: &User) -> User {
        let given = json!({ "id": "made-by-the-core", "name": user.name, "email": user.email,
            "emailVerified": user.email_verified, "image": user.image });
        read_user(&self.call("createUser", json!([given])))
    }

    pub fn user(&mut self, id: &str) -> Option<User> {
        found(self.call("getUser", json!([id]))).as_ref().map(read_user)
    }

    pub fn user_by_email(&mut self, email: &str) -> Option<User> {
        found(self.call("getUserByEmail", json!([email]))).as_ref().map(read_user)
    }

    pub fn user_by_account(&mut self, account: &Account) -> Option<User> {
        found(self.call("getUserByAccount", json!([key_of(account)]))).as_ref().map(read_user)
    }

    /// `change` is what of the user changes, by the adapter's names.
    pub fn update_user(&mut self, id: &str, mut change: Value) -> User {
        change["id"] = id.into();
        read_user(&self.call("updateUser", json!([change])))
    }

    pub fn delete_user(&mut self, id: &str) {
        self.call("deleteUser", json!([id]));
    }

    pub fn link_account(&mut self, user_id: &str, account: &Account) {
        let tokens = &account.tokens;
        let mut given = json!({ "userId": user_id, "type": account.kind, "provider": account.provider,
            "providerAccountId": account.provider_account_id, "access_token": tokens.access_token,
            "refresh_token": tokens.refresh_token, "id_token": tokens.id_token, "expires_at": tokens.expires_at,
            "token_type": tokens.token_type, "scope": tokens.scope, "session_state": tokens.session_state });
        given.as_object_mut().unwrap().retain(|_, value| !value.is_null());
        self.call("linkAccount", json!([given]));
    }

    pub fn unlink_account(&mut self, account: &Account) {
        self.call("unlinkAccount", json!([key_of(account)]));
    }

    pub fn create_session(&mut self, token: &str, user_id: &str, expires: Timestamp) -> StoredSession {
        let given = json!({ "sessionToken": token, "userId": user_id, "expires": expires });
        read_session(&self.call("createSession", json!([given])))
    }

    pub fn session_and_user(&mut self, token: &str) -> Option<(StoredSession, User)> {
        let answer = found(self.call("getSessionAndUser", json!([token])))?;
        Some((read_session(&answer["session"]), read_user(&answer["user"])))
    }

    /// As the core does when it extends a session.
    pub fn update_session(&mut self, token: &str, expires: Timestamp) {
        self.call("updateSession", json!([{ "sessionToken": token, "expires": expires }]));
    }

    pub fn delete_session(&mut self, token: &str) {
        self.call("deleteSession", json!([token]));
    }

    pub fn create_verification_token(&mut self, token: &VerificationToken) {
        let given = json!({ "identifier": token.identifier, "token": token.token, "expires": token.expires });
        self.call("createVerificationToken", json!([given]));
    }

    pub fn use_verification_token(&mut self, identifier: &str, token: &str) -> Option<VerificationToken> {
        let given = json!({ "identifier": identifier, "token": token });
        let answer = found(self.call("useVerificationToken", json!([given])))?;
        Some(VerificationToken::new(
            text(&answer["identifier"]),
            text(&answer["token"]),
            time(&answer["expires"]).unwrap(),
        ))
    }

    fn call(&mut self, method: &str, arguments: Value) -> Value {
        let requests = self.requests.as_mut().unwrap();
        writeln!(requests, "{}", json!({ "method": method, "args": arguments })).unwrap();
        requests.flush().unwrap();
        let mut line = String::new();
        self.answers.read_line(&mut line).unwrap();
        let mut answer: Value =
            serde_json::from_str(&line).unwrap_or_else(|_| panic!("peer.mjs answered {line:?}"));
        assert!(answer["error"].is_null(), "{method}{arguments}: {}", answer["error"]);
        answer["result"].take()
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.requests.take()); // the script ends with its input
        let _ = self.child.wait();
    }
}

fn spawn(arguments: &[&str]) -> Result<Child, String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/adapters");
    if !folder.join("node_modules/.complete").is_file() {
        return Err("the packages are missing: run `scripts/test setup`".to_owned());
    }
    Command::new("node")
        .arg("peer.mjs")
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .map_err(|error| format!("node cannot be started ({error}): install Node 20 or newer"))
}

fn key_of(account: &Account) -> Value {
    json!({ "provider": account.provider, "providerAccountId": account.provider_account_id })
}

fn found(answer: Value) -> Option<Value> {
    (!answer.is_null()).then_some(answer)
}

fn read_user(row: &Value) -> User {
    let mut user = User::new(text(&row["id"]));
    let member = |name: &str| row[name].as_str().map(str::to_owned);
    user.name = member("name");
    user.email = member("email");
    user.email_verified = time(&row["emailVerified"]);
    user.image = member("image");
    user
}

/// Node knows no more of a session than this.
fn read_session(row: &Value) -> StoredSession {
    let key = SessionKey::new(text(&row["sessionToken"]));
    StoredSession::new(key, text(&row["userId"]), time(&row["expires"]).unwrap())
}

/// Of a text, or of an integer id.
fn text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn time(value: &Value) -> Option<Timestamp> {
    let time = OffsetDateTime::parse(value.as_str()?, &Rfc3339).unwrap();
    Some(Timestamp::from_millis(i64::try_from(time.unix_timestamp_nanos() / 1_000_000).unwrap()))
}
