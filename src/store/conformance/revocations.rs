//! Revocations of tokens.

use std::{sync::Arc, time::Duration};

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, in_seconds, random},
    race::{at_once, shuffled},
    texts::alike,
};
use crate::{
    clock::Timestamp,
    store::{Revocation, RevocationStore, Revoked},
};

pub(super) const CHECKS: &[Check] = checks! {
    s23_revocations_are_answered: "revocations: all that were made at `since` or later",
    s23_the_later_of_two_counts: "revoke: of two about the same subject the later one counts, and the later end of both",
    s23_the_later_of_many_at_once_counts: "revoke: of two about the same subject the later one counts",
    s91_subjects_are_compared_exactly: "texts are compared exactly, by case and by code point",
    s29_expired_revocations_are_removed: "delete_expired_revocations: removes at most `limit` that nobody needs to know at `now`",
};

fn session(text: &str) -> Revoked {
    Revoked::Session(text.to_owned())
}

fn user(text: &str) -> Revoked {
    Revoked::User(text.to_owned())
}

/// What is known about `subject`, if it is known once.
async fn known(
    store: &Arc<dyn RevocationStore>,
    since: Timestamp,
    subject: &Revoked,
) -> Checked<Option<Revocation>> {
    let mut all = store.revocations(since).await?;
    all.retain(|revocation| revocation.subject == *subject);
    ensure!(all.len() < 2, "{} revocations of one subject", all.len());
    Ok(all.pop())
}

async fn s23_revocations_are_answered(kit: &Kit) -> Checked {
    let store = kit.revocations()?;
    let text = random();
    let (at, expires) = (in_seconds(0), in_seconds(3600));
    let next = at.plus(Duration::from_millis(1));
    // One text may be the id of a session and of a user.
    let made = [
        Revocation::new(session(&text), at, expires),
        Revocation::new(user(&text), next, expires.plus(Duration::from_millis(7))),
    ];
    for revocation in &made {
        store.revoke(revocation).await?;
    }
    for revocation in &made {
        let found = known(&store, Timestamp::from_secs(0), &revocation.subject).await?;
        ensure!(found.as_ref() == Some(revocation), "{revocation:?} came back as {found:?}");
        let found = known(&store, revocation.at, &revocation.subject).await?;
        ensure!(found.is_some(), "one that was made exactly at `since` is missing");
        let after = revocation.at.plus(Duration::from_millis(1));
        ensure!(known(&store, after, &revocation.subject).await?.is_none(), "one from before `since`");
    }
    Ok(())
}

async fn s23_the_later_of_two_counts(kit: &Kit) -> Checked {
    let store = kit.revocations()?;
    let (at, expires) = (in_seconds(100), in_seconds(3600));
    let shifted = |time: Timestamp, by: i64| Timestamp::from_millis(time.as_millis() + by);
    for subject in [session(&random()), user(&random())] {
        let (mut latest, mut end) = (at, expires);
        for (made, ends) in [(0, 0), (-5, -5), (5, -5), (-1, 5), (5, 5), (7, 7), (0, 0)] {
            let (made, ends) = (shifted(at, made), shifted(expires, ends));
            store.revoke(&Revocation::new(subject.clone(), made, ends)).await?;
            (latest, end) = (latest.max(made), end.max(ends));
            let found = known(&store, Timestamp::from_secs(0), &subject).await?;
            let expected = Revocation::new(subject.clone(), latest, end);
            ensure!(found.as_ref() == Some(&expected), "it is {found:?}, not {expected:?}");
            ensure!(known(&store, latest, &subject).await?.is_some(), "not found as of the later one");
        }
    }
    Ok(())
}

async fn s23_the_later_of_many_at_once_counts(kit: &Kit) -> Checked {
    let store = kit.revocations()?;
    let (at, expires, subject) = (in_seconds(0), in_seconds(3600), user(&random()));
    let answers = at_once(20, |index| {
        let by = Duration::from_millis(shuffled(index));
        let revocation = Revocation::new(subject.clone(), at.plus(by), expires.plus(20 * by));
        let store = store.clone();
        async move { store.revoke(&revocation).await }
    })
    .await?;
    for answer in answers {
        answer?;
    }
    let found = known(&store, at, &subject).await?;
    let by = Duration::from_millis(19);
    let expected = Revocation::new(subject, at.plus(by), expires.plus(20 * by));
    ensure!(found.as_ref() == Some(&expected), "it is {found:?}, not {expected:?}");
    Ok(())
}

async fn s91_subjects_are_compared_exactly(kit: &Kit) -> Checked {
    let store = kit.revocations()?;
    let (at, expires) = (in_seconds(0), in_seconds(3600));
    let mut subjects: Vec<_> = alike().iter().map(|text| session(text)).collect();
    subjects.extend(alike().iter().map(|text| user(text)));
    for subject in &subjects {
        store.revoke(&Revocation::new(subject.clone(), at, expires)).await?;
    }
    let all = store.revocations(at).await?;
    for subject in &subjects {
        let known = all.iter().filter(|revocation| revocation.subject == *subject).count();
        ensure!(known == 1, "{subject:?} is there {known} times");
    }
    Ok(())
}

async fn s29_expired_revocations_are_removed(kit: &Kit) -> Checked {
    let store = kit.revocations()?;
    let now = Timestamp::from_millis(946_684_799_999);
    let long_ago = Timestamp::from_secs(1);
    for round in 0..10_000 {
        ensure!(round < 9_999, "there is no end of expired revocations");
        if store.delete_expired_revocations(now, 1000).await? == 0 {
            break;
        }
    }
    let shifted = |by: i64| Timestamp::from_millis(now.as_millis() + by);
    let mut made = Vec::new();
    for by in 1..=10 {
        let revocation = Revocation::new(session(&random()), long_ago, shifted(-by));
        store.revoke(&revocation).await?;
        made.push(revocation);
    }
    let just_not = Revocation::new(session(&random()), long_ago, shifted(1));
    let needed = Revocation::new(user(&random()), long_ago, in_seconds(3600));
    for revocation in [&just_not, &needed] {
        store.revoke(revocation).await?;
    }
    ensure!(store.delete_expired_revocations(now, 0).await? == 0, "a limit of 0 removed something");
    for expected in [4, 4, 2, 0] {
        let removed = store.delete_expired_revocations(now, 4).await?;
        ensure!(removed <= 4, "a limit of 4 removed {removed}");
        ensure!(kit.extent.evicts_expired || removed == expected, "removed {removed}, not {expected}");
    }
    let left = store.revocations(long_ago).await?;
    ensure!(made.iter().all(|revocation| !left.contains(revocation)), "a removed one is there");
    ensure!(kit.extent.evicts_expired || left.contains(&just_not), "removed a millisecond early");
    ensure!(left.contains(&needed), "one was removed that is needed");
    Ok(())
}
