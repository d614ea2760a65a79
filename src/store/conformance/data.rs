//! What the application keeps with a session.

use std::{sync::Arc, time::Duration};

use serde_json::{Map, Value, json};

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, broken},
    race::at_once,
};
use crate::store::{Replaced, SessionKey, SessionStore};

pub(super) const CHECKS: &[Check] = checks! {
    data_is_replaced_by_version: "replace_session_data: only if the session is there with this `version`",
    data_comes_back_as_it_was_written: "the data of a session is stored as it is",
    s22_one_of_several_versions_is_written: "replace_session_data: in one write that happens only with this version",
    s22_a_hundred_increments_make_a_hundred: "replace_session_data: somebody else was faster: read again",
    extending_and_replacing_lose_nothing: "each method is atomic: neither writes what the other has written",
};

fn data(value: impl Into<Value>) -> Map<String, Value> {
    Map::from_iter([("value".to_owned(), value.into())])
}

async fn data_is_replaced_by_version(kit: &Kit) -> Checked {
    kit.needs_session_data()?;
    let sessions = kit.sessions()?;
    let mut session = kit.begun_session().await?;
    for (version, replaced) in [
        (1, Replaced::Stale),
        (u64::from(u32::MAX), Replaced::Stale),
        (0, Replaced::Done),
        (0, Replaced::Stale),
        (1, Replaced::Done),
        (1, Replaced::Stale),
        (3, Replaced::Stale),
    ] {
        let written = data(version);
        let answer = sessions.replace_session_data(&session.key, version, &written).await?;
        ensure!(answer == replaced, "version {version} on {}: {answer:?}", session.version);
        if answer == Replaced::Done {
            (session.version, session.data) = (version + 1, written);
        }
        let found = sessions.session(&session.key).await?;
        ensure!(found.as_ref() == Some(&session), "after version {version} it is {found:?}, not {session:?}");
    }
    Ok(())
}

async fn data_comes_back_as_it_was_written(kit: &Kit) -> Checked {
    kit.needs_session_data()?;
    let sessions = kit.sessions()?;
    let session = kit.begun_session().await?;
    let odd = json!({
        "": "", "'\"`\\": "';--", "%_*?": null, "a:b": {"a": {"b": [[], {}, [null]]}}, "é": 1, "e\u{301}": 2,
        "🙂": "👩\u{200d}🚀 \u{10ffff}", "lines": "\n\r\t\u{1f}\u{7f}\u{2028}", "__proto__": {"x": 1},
        "numbers": [0, -1, i64::MAX, i64::MIN, 9_007_199_254_740_993_i64, 0.5, -1.25e-7], "flags": [true, false],
        "long": "x".repeat(20_000), "blank": "  ", "escaped": "\\u0041 \\n %00",
    });
    let values = [odd, json!({}), json!({"only": {}})];
    for (version, value) in (0..).zip(values) {
        let Value::Object(written) = value else { return Err(broken("the check is broken")) };
        let answer = sessions.replace_session_data(&session.key, version, &written).await?;
        ensure!(answer == Replaced::Done, "{answer:?} on version {version}");
        let found = sessions.session(&session.key).await?.map(|found| found.data);
        ensure!(found.as_ref() == Some(&written), "{written:?} came back as {found:?}");
        let listed = sessions.sessions_of(&session.user_id).await?;
        ensure!(listed.len() == 1 && listed[0].data == written, "the list says something else");
    }
    Ok(())
}

async fn s22_one_of_several_versions_is_written(kit: &Kit) -> Checked {
    kit.needs_session_data()?;
    let sessions = kit.sessions()?;
    let session = kit.begun_session().await?;
    let answers = at_once(20, |index| {
        let (sessions, key) = (sessions.clone(), session.key.clone());
        async move { (index, sessions.replace_session_data(&key, 0, &data(index)).await) }
    })
    .await?;
    let mut written = Vec::new();
    for (index, answer) in answers {
        match answer? {
            Replaced::Done => written.push(index),
            Replaced::Stale => {}
            Replaced::Missing => ensure!(false, "a session is missing that is there"),
        }
    }
    ensure!(written.len() == 1, "{} writers of one version succeeded", written.len());
    let found = sessions.session(&session.key).await?.unwrap_or(session);
    ensure!((found.version, found.data) == (1, data(written[0])), "not what the winner wrote is there");
    Ok(())
}

/// Reads the number in the data and writes the next one, until nobody comes between.
async fn increment(sessions: Arc<dyn SessionStore>, key: SessionKey) -> Checked {
    loop {
        let read = sessions.session(&key).await?.ok_or_else(|| broken("the session is gone"))?;
        let value = read.data.get("value").and_then(Value::as_u64).unwrap_or(0);
        match sessions.replace_session_data(&key, read.version, &data(value + 1)).await? {
            Replaced::Done => return Ok(()),
            Replaced::Stale => tokio::task::yield_now().await,
            Replaced::Missing => return Err(broken("the session is missing")),
        }
    }
}

async fn s22_a_hundred_increments_make_a_hundred(kit: &Kit) -> Checked {
    kit.needs_session_data()?;
    let sessions = kit.sessions()?;
    let session = kit.begun_session().await?;
    for answer in at_once(100, |_| increment(sessions.clone(), session.key.clone())).await? {
        answer?;
    }
    let found = sessions.session(&session.key).await?.unwrap_or(session);
    ensure!(found.data == data(100), "100 increments came to {:?}", found.data.get("value"));
    ensure!(found.version == 100, "100 changes came to version {}", found.version);
    Ok(())
}

async fn extending_and_replacing_lose_nothing(kit: &Kit) -> Checked {
    kit.needs_session_data()?;
    let sessions = kit.sessions()?;
    for _ in 0..5 {
        let session = kit.begun_session().await?;
        let end = |index: usize| session.expires.plus(Duration::from_secs(index as u64 + 1));
        let answers = at_once(20, |index| {
            let (sessions, key, end) = (sessions.clone(), session.key.clone(), end(index));
            async move {
                match index % 2 {
                    0 => increment(sessions, key).await,
                    _ => Ok(sessions.extend_session(&key, end, end).await.map(drop)?),
                }
            }
        })
        .await?;
        for answer in answers {
            answer?;
        }
        let found = sessions.session(&session.key).await?.ok_or_else(|| broken("the session is gone"))?;
        ensure!(found.expires == end(19), "the latest end was lost");
        ensure!((found.version, found.data) == (10, data(10)), "10 changes came to {}", found.version);
    }
    Ok(())
}
