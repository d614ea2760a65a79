//! Users.

use serde_json::{Map, Value, json};

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, conflict, one_of, random, random_account, random_email},
    race::{at_once, drop_after},
    texts::{alike, near_misses, with_nul},
};
use crate::{clock::Timestamp, store::UserChange, user::User};

pub(super) const CHECKS: &[Check] = checks! {
    users_are_found_as_they_were_made:
        "create_user: the store makes the id and ignores the given one; it answers the user as it is stored",
    users_need_no_email: "create_user: a conflict only if a user has this e-mail address",
    times_of_users_are_kept: "times keep milliseconds",
    members_of_users_are_kept: "a user's extra members are stored as they are",
    a_missing_user_is_no_error: "a missing row is no error",
    s91_ids_are_compared_exactly: "user: an id that this store could not have made is nobody's",
    s91_emails_are_compared_exactly: "texts are compared exactly, by case and by code point",
    s89_a_taken_email_makes_no_user: "create_user: Conflict if a user has this e-mail address; both or neither",
    s89_a_taken_account_makes_no_user: "create_user: Conflict if somebody has this account; both or neither",
    s89_first_sign_ins_at_once_make_one_user: "create_user: of several that are at it at once, one succeeds",
    s89_one_email_at_once_makes_one_user: "create_user: of several that are at it at once, one succeeds",
    s88_a_dropped_sign_in_makes_both_or_neither: "each method is atomic, also when its future is dropped half-way",
    changes_keep_what_they_do_not_name: "update_user: what is not changed keeps its value",
    changes_at_once_are_all_made: "update_user: keeps the value that it has at that moment, whoever else is writing",
    members_changed_at_once_are_all_kept: "UserChange: members of `extra` that are not named stay",
    a_changed_email_is_unproved: "update_user: when an address was proved goes when another address comes",
    s38_a_change_for_another_email_is_not_made:
        "UserChange::if_email: made only if this is the address that the user has at that moment",
    a_changed_email_is_not_anothers: "update_user: Conflict if another user has the new e-mail address",
    a_deleted_user_is_nowhere: "delete_user: removes a user with their accounts; says whether there was one",
};

async fn users_are_found_as_they_were_made(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let account = random_account();
    // An id that no store makes; one that counts may well make "1".
    let given = User::new(format!("given {}", random()))
        .name("J 'Smith' \\ 名前")
        .email(random_email())
        .image("https://example.com/?a=b&c");
    let made = users.create_user(&given, Some(&account)).await?;
    ensure!(!made.id.is_empty() && made.id != given.id, "the given id became the user's");
    let expected = User { id: made.id.clone(), ..given.clone() };
    ensure!(made == expected, "create_user answered something else than what was given");
    let by_account = users.user_by_account(&account.provider, &account.provider_account_id).await?;
    let by_email = users.user_by_email(given.email.as_deref().unwrap_or_default()).await?;
    for (how, found) in [("id", users.user(&made.id).await?), ("email", by_email), ("account", by_account)] {
        ensure!(found.as_ref() == Some(&expected), "by its {how} was found {found:?}, not {expected:?}");
    }
    let other = users.create_user(&User::new(&made.id), None).await?;
    ensure!(other.id != made.id, "two users with one id");
    Ok(())
}

async fn users_need_no_email(kit: &Kit) -> Checked {
    let users = kit.users()?;
    for _ in 0..2 {
        let user = users.create_user(&User::new(""), None).await?;
        let found = users.user(&user.id).await?;
        ensure!(found == Some(User::new(&user.id)), "a user with nothing came back with something");
    }
    Ok(())
}

async fn times_of_users_are_kept(kit: &Kit) -> Checked {
    let users = kit.users()?;
    for millis in [1, 999, 1_771_070_400_007, 4_102_444_800_123, 253_402_300_799_000] {
        let at = Timestamp::from_millis(millis);
        let user = users.create_user(&User::new("").email(random_email()).email_verified(at), None).await?;
        let found = users.user(&user.id).await?.and_then(|user| user.email_verified);
        ensure!(found == Some(at), "{at} came back as {found:?}");
    }
    Ok(())
}

async fn members_of_users_are_kept(kit: &Kit) -> Checked {
    kit.needs_user_extra()?;
    let users = kit.users()?;
    let Value::Object(extra) = json!({
        "role": "admin", "nothing": null, "flag": false, "limit": i64::MAX, "list": [1, [2, {"three": "3"}], []],
        "odd 'name\" \\ %": "🙂 e\u{301} é \n", "": "", "nested": {"b": 1, "a": {"z": {}}},
    }) else {
        return Ok(());
    };
    let given = User { extra, ..User::new("") };
    let made = users.create_user(&given, None).await?;
    let found = users.user(&made.id).await?;
    ensure!(
        found.as_ref().map(|user| &user.extra) == Some(&given.extra),
        "extra came back as {:?}",
        found.map(|user| user.extra)
    );
    Ok(())
}

async fn a_missing_user_is_no_error(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let uuid = uuid::Uuid::new_v4().to_string();
    for id in ["", "0", "-1", "1e3", "'", "nobody", "99999999999999999999999999", &uuid, &random()] {
        ensure!(users.user(id).await?.is_none(), "somebody has the id {id:?}");
    }
    for id in [&*uuid, "nobody", "99999999999999999999999999"] {
        let change = UserChange { name: Some("x".to_owned()), ..UserChange::default() };
        ensure!(users.update_user(id, change).await?.is_none(), "nobody was changed into somebody");
        ensure!(users.user(id).await?.is_none(), "changing nobody made somebody");
        ensure!(!users.delete_user(id).await?, "nobody was deleted");
        ensure!(users.accounts_of(id).await?.is_empty(), "nobody has accounts");
    }
    ensure!(users.user_by_email(&random_email()).await?.is_none(), "somebody has an unknown address");
    ensure!(
        users.user_by_account("conformance", &random()).await?.is_none(),
        "somebody has an unknown account"
    );
    ensure!(!users.unlink_account("conformance", &random()).await?, "an unknown account was taken away");
    Ok(())
}

async fn s91_ids_are_compared_exactly(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let email = random_email();
    let user = users.create_user(&User::new("").name("kept").email(&*email), Some(&random_account())).await?;
    for near in near_misses(&user.id) {
        // A part of a number is a number, and may be somebody's.
        match users.user(&near).await? {
            Some(other) => ensure!(other.id == near, "{near:?} found {:?}", other.id),
            None => {
                let change = UserChange { name: Some("changed".to_owned()), ..UserChange::default() };
                ensure!(users.update_user(&near, change).await?.is_none(), "{near:?} was changed");
                ensure!(users.accounts_of(&near).await?.is_empty(), "{near:?} has accounts");
                conflict(users.link_account(&near, &random_account()).await, "an account of nobody")?;
                ensure!(!users.delete_user(&near).await?, "{near:?} was deleted");
            }
        }
    }
    for near in with_nul(&user.id) {
        let found = users.user(&near).await.unwrap_or_default();
        ensure!(found.is_none(), "an id with U+0000 found somebody");
    }
    ensure!(users.user(&user.id).await? == Some(user), "a similar id changed a user");
    Ok(())
}

async fn s91_emails_are_compared_exactly(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let mut made = Vec::new();
    for email in alike() {
        let answer = users.create_user(&User::new("").email(&*email), None).await;
        ensure!(answer.is_ok(), "{email:?} was refused: {answer:?}");
        made.push((email, answer?));
    }
    for (email, user) in &made {
        let found = users.user_by_email(email).await?;
        ensure!(found.as_ref() == Some(user), "{email:?} found {:?}", found.and_then(|user| user.email));
    }
    let email = random_email();
    users.create_user(&User::new("").email(&*email), None).await?;
    for near in near_misses(&email) {
        let found = users.user_by_email(&near).await?.and_then(|user| user.email);
        ensure!(found.is_none() || found.as_ref() == Some(&near), "{near:?} found {email:?}");
    }
    for near in with_nul(&email) {
        let found = users.user_by_email(&near).await.unwrap_or_default();
        ensure!(found.is_none(), "an address with U+0000 found somebody");
    }
    Ok(())
}

async fn s89_a_taken_email_makes_no_user(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (email, account) = (random_email(), random_account());
    let first = users.create_user(&User::new("").email(&*email), None).await?;
    let again = User::new("").name("other").email(&*email);
    conflict(users.create_user(&again, Some(&account)).await, "two users with one address")?;
    ensure!(users.user_by_email(&email).await? == Some(first), "the address is another user's now");
    let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
    ensure!(found.is_none(), "the account was linked though there is no user");
    users.create_user(&User::new(""), Some(&account)).await?;
    Ok(())
}

async fn s89_a_taken_account_makes_no_user(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (email, account) = (random_email(), random_account());
    let first = users.create_user(&User::new(""), Some(&account)).await?;
    let second = User::new("").email(&*email);
    conflict(users.create_user(&second, Some(&account)).await, "two users with one account")?;
    ensure!(users.user_by_email(&email).await?.is_none(), "a user without their account was left");
    let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
    ensure!(found.map(|user| user.id) == Some(first.id), "the account is another user's now");
    users.create_user(&second, None).await?;
    Ok(())
}

async fn s89_first_sign_ins_at_once_make_one_user(kit: &Kit) -> Checked {
    let users = kit.users()?;
    kit.needs_unique_keys()?;
    let account = random_account();
    let emails: Vec<_> = (0..20).map(|_| random_email()).collect();
    let answers = at_once(emails.len(), |index| {
        let (users, account, user) = (users.clone(), account.clone(), User::new("").email(&*emails[index]));
        async move { users.create_user(&user, Some(&account)).await }
    })
    .await?;
    let winner = one_of(answers, "users with one account")?;
    for email in &emails {
        let found = users.user_by_email(email).await?;
        ensure!(found.is_none() || found.as_ref() == Some(&winner), "a loser of the race left a user");
    }
    let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
    ensure!(found == Some(winner), "the account is not the winner's");
    Ok(())
}

async fn s89_one_email_at_once_makes_one_user(kit: &Kit) -> Checked {
    let users = kit.users()?;
    kit.needs_unique_keys()?;
    let user = User::new("").email(random_email());
    let accounts: Vec<_> = (0..20).map(|_| random_account()).collect();
    let answers = at_once(accounts.len(), |index| {
        let (users, account, user) = (users.clone(), accounts[index].clone(), user.clone());
        async move { users.create_user(&user, Some(&account)).await }
    })
    .await?;
    let winner = one_of(answers, "users with one address")?;
    let mut linked = 0;
    for account in &accounts {
        let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
        ensure!(found.is_none() || found.as_ref() == Some(&winner), "an account of somebody else");
        linked += usize::from(found.is_some());
    }
    ensure!(linked == 1, "{linked} accounts were linked, not 1");
    Ok(())
}

async fn s88_a_dropped_sign_in_makes_both_or_neither(kit: &Kit) -> Checked {
    let users = kit.users()?;
    for polls in 1..=12 {
        let (email, account) = (random_email(), random_account());
        let user = User::new("").email(&*email);
        drop_after(polls, users.create_user(&user, Some(&account))).await;
        // What was sent before may be done only now, so between two looks it may have changed once.
        let mut agree = false;
        for _ in 0..3 {
            let by_email = users.user_by_email(&email).await?;
            let by_account = users.user_by_account(&account.provider, &account.provider_account_id).await?;
            agree |= by_email == by_account;
        }
        ensure!(agree, "dropped after {polls} polls, it left a user without their account, or the reverse");
    }
    Ok(())
}

async fn changes_keep_what_they_do_not_name(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let mut given = User::new("").name("n").email(random_email()).image("i");
    if kit.extent.user_extra {
        given = given.with("kept", json!({"a": [1]})).with("changed", 1);
    }
    let mut expected = users.create_user(&given, None).await?;
    let mut changes = vec![
        UserChange::default(),
        UserChange { name: Some("other".to_owned()), ..UserChange::default() },
        UserChange { image: Some(String::new()), ..UserChange::default() },
        UserChange {
            email_verified: Some(Timestamp::from_millis(1_771_070_400_007)),
            ..UserChange::default()
        },
        UserChange { email: given.email.clone(), ..UserChange::default() },
        UserChange { email: Some(random_email()), ..UserChange::default() },
    ];
    if kit.extent.user_extra {
        let extra = Map::from_iter([("changed".to_owned(), json!([null])), ("new".to_owned(), json!(true))]);
        changes.push(UserChange { extra, ..UserChange::default() });
    }
    for change in changes {
        change.clone().apply(&mut expected);
        let answer = users.update_user(&expected.id, change.clone()).await?;
        ensure!(answer.as_ref() == Some(&expected), "{change:?} was answered with {answer:?}");
        ensure!(
            users.user(&expected.id).await?.as_ref() == Some(&expected),
            "{change:?} was stored differently"
        );
    }
    Ok(())
}

async fn changes_at_once_are_all_made(kit: &Kit) -> Checked {
    let users = kit.users()?;
    for round in 0..10 {
        let user = users.create_user(&User::new("").name("n").image("i").email(random_email()), None).await?;
        let text = Some(format!("changed {round}"));
        let (email, at) = (random_email(), Timestamp::from_secs(round));
        let changes = [
            UserChange { name: text.clone(), ..UserChange::default() },
            UserChange { image: text.clone(), ..UserChange::default() },
            // Together: which of the two came last would decide about the other.
            UserChange { email: Some(email.clone()), email_verified: Some(at), ..UserChange::default() },
        ];
        let answers = at_once(changes.len(), |index| {
            let (users, id, change) = (users.clone(), user.id.clone(), changes[index].clone());
            async move { users.update_user(&id, change).await }
        })
        .await?;
        for answer in answers {
            ensure!(answer?.is_some(), "a user was gone while others changed them");
        }
        let found = users.user(&user.id).await?.unwrap_or_else(|| User::new(""));
        let as_changed = (&found.name, &found.image, &found.email, found.email_verified)
            == (&text, &text, &Some(email), Some(at));
        ensure!(as_changed, "of three changes at once some were lost");
    }
    Ok(())
}

async fn members_changed_at_once_are_all_kept(kit: &Kit) -> Checked {
    kit.needs_user_extra()?;
    let users = kit.users()?;
    let user = users.create_user(&User::new(""), None).await?;
    let answers = at_once(20, |index| {
        let (users, id) = (users.clone(), user.id.clone());
        let extra = Map::from_iter([(format!("member{index}"), json!(index))]);
        async move { users.update_user(&id, UserChange { extra, ..UserChange::default() }).await }
    })
    .await?;
    for answer in answers {
        answer?;
    }
    let found = users.user(&user.id).await?.map_or(0, |user| user.extra.len());
    ensure!(found == 20, "of 20 members that were set at once {found} are there");
    Ok(())
}

async fn a_changed_email_is_unproved(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (before, now) = (Timestamp::from_secs(1_771_070_400), Timestamp::from_secs(1_771_070_500));
    let own = random_email();
    let given = User::new("").email(&*own).email_verified(before);
    let change_to = |email: &str| UserChange { email: Some(email.to_owned()), ..UserChange::default() };

    let user = users.create_user(&given, None).await?;
    let changed = users.update_user(&user.id, change_to(&own)).await?;
    ensure!(changed.as_ref() == Some(&user), "the address of before came again, and was unproved then");
    // The same letters in another case are another address.
    for email in [own.to_uppercase(), random_email()] {
        let proved = UserChange { email_verified: Some(before), ..UserChange::default() };
        users.update_user(&user.id, proved).await?;
        let answer = users.update_user(&user.id, change_to(&email)).await?;
        let found = users.user(&user.id).await?;
        ensure!(answer == found, "update_user answered something else than what is stored");
        let found = found.map(|user| (user.email, user.email_verified));
        ensure!(found == Some((Some(email), None)), "a new address is proved by what proved the one before");
    }

    let change = UserChange { email_verified: Some(now), ..change_to(&random_email()) };
    let found = users.update_user(&user.id, change.clone()).await?;
    let found = found.map(|user| (user.email, user.email_verified));
    ensure!(found == Some((change.email, Some(now))), "an address did not come with its own proof");

    // One that comes where there was none is another, too.
    let user = users.create_user(&User::new("").email_verified(before), None).await?;
    let found = users.update_user(&user.id, change_to(&random_email())).await?;
    ensure!(found.is_some_and(|user| user.email_verified.is_none()), "a first address is proved by nothing");
    Ok(())
}

async fn s38_a_change_for_another_email_is_not_made(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let email = random_email();
    let verified = |email: &str| UserChange {
        email_verified: Some(Timestamp::from_secs(1)),
        if_email: Some(email.to_owned()),
        ..UserChange::default()
    };
    let nameless = users.create_user(&User::new(""), None).await?;
    ensure!(
        users.update_user(&nameless.id, verified(&email)).await?.is_none(),
        "without an address it was made"
    );
    let made = users.create_user(&User::new("").email(&*email), None).await?;
    let other = random_email();
    for near in near_misses(&email) {
        let mut change = verified(&near);
        (change.name, change.email) = (Some("changed".to_owned()), Some(other.clone()));
        ensure!(users.update_user(&made.id, change).await?.is_none(), "it was made for {near:?}");
    }
    ensure!(
        users.user(&made.id).await? == Some(made.clone()),
        "a change for another address was made in part"
    );
    ensure!(users.user_by_email(&other).await?.is_none(), "an address is taken that nobody got");
    users.create_user(&User::new("").email(&*other), None).await?;
    let changed = users.update_user(&made.id, verified(&email)).await?;
    ensure!(changed.is_some_and(|user| user.email_verified.is_some()), "it was not made for their address");
    // Whoever proves an address while it changes has not proved the next one.
    for _ in 0..10 {
        let (before, after) = (random_email(), random_email());
        let user = users.create_user(&User::new("").email(&*before), None).await?;
        let moved = UserChange { email: Some(after.clone()), ..UserChange::default() };
        let changes = [verified(&before), moved];
        let answers = at_once(changes.len(), |index| {
            let (users, id, change) = (users.clone(), user.id.clone(), changes[index].clone());
            async move { users.update_user(&id, change).await }
        })
        .await?;
        for answer in answers {
            answer?;
        }
        let found = users.user(&user.id).await?;
        let found = found.map(|user| (user.email, user.email_verified));
        ensure!(found == Some((Some(after), None)), "the next address counts as proved: {found:?}");
    }
    Ok(())
}

async fn a_changed_email_is_not_anothers(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (taken, own) = (random_email(), random_email());
    let other = users.create_user(&User::new("").email(&*taken), None).await?;
    let user = users.create_user(&User::new("").name("n").email(&*own), None).await?;
    let change =
        UserChange { name: Some("x".to_owned()), email: Some(taken.clone()), ..UserChange::default() };
    conflict(users.update_user(&user.id, change).await, "an address was changed to another user's")?;
    ensure!(users.user(&user.id).await?.as_ref() == Some(&user), "a refused change was made in part");
    ensure!(users.user_by_email(&taken).await? == Some(other), "the address is another user's now");

    let free = random_email();
    let change = UserChange { email: Some(free.clone()), ..UserChange::default() };
    users.update_user(&user.id, change).await?;
    ensure!(users.user_by_email(&own).await?.is_none(), "found by the address of before");
    let found = users.user_by_email(&free).await?.map(|user| user.id);
    ensure!(found.as_ref() == Some(&user.id), "not found by the new address");
    users.create_user(&User::new("").email(own), None).await?;
    Ok(())
}

async fn a_deleted_user_is_nowhere(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (email, accounts) = (random_email(), [random_account(), random_account()]);
    let user = users.create_user(&User::new("").email(&*email), Some(&accounts[0])).await?;
    users.link_account(&user.id, &accounts[1]).await?;
    let (other_account, other_email) = (random_account(), random_email());
    let other = users.create_user(&User::new("").email(&*other_email), Some(&other_account)).await?;

    ensure!(users.delete_user(&user.id).await?, "there was a user");
    ensure!(!users.delete_user(&user.id).await?, "there was no user any more");
    ensure!(users.user(&user.id).await?.is_none(), "found by their id");
    ensure!(users.user_by_email(&email).await?.is_none(), "found by their address");
    ensure!(users.accounts_of(&user.id).await?.is_empty(), "they still have accounts");
    for account in &accounts {
        let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
        ensure!(found.is_none(), "found by an account");
    }
    conflict(users.link_account(&user.id, &random_account()).await, "an account of a deleted user")?;
    ensure!(
        users.update_user(&user.id, UserChange::default()).await?.is_none(),
        "changed after they were deleted"
    );

    let again = users.create_user(&User::new("").email(email), Some(&accounts[0])).await?;
    ensure!(again.id != user.id, "the id of a deleted user is another's");
    users.link_account(&again.id, &accounts[1]).await?;
    ensure!(users.user(&other.id).await?.as_ref() == Some(&other), "another user is gone, too");
    let found = users.user_by_account(&other_account.provider, &other_account.provider_account_id).await?;
    ensure!(found == Some(other), "another user's account is gone, too");
    Ok(())
}
