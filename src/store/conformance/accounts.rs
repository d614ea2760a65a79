//! The accounts with which users sign in.

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, conflict, one_of, random, random_account, random_email},
    race::at_once,
    texts::{alike, near_misses, with_nul},
};
use crate::{
    store::{Result, UserStore},
    user::{Account, ProviderTokens, User},
};

pub(super) const CHECKS: &[Check] = checks! {
    accounts_are_answered_in_order: "accounts_of: those that were linked first in front",
    accounts_keep_their_tokens: "link_account: what the provider gave is stored as it is",
    a_linked_account_is_not_anothers: "link_account: Conflict if somebody has this account, or there is no such user",
    s89_links_at_once_make_one: "link_account: Conflict if somebody has this account",
    an_unlinked_account_is_nobodys: "unlink_account: says whether there was one",
    tokens_are_replaced_as_they_are: "replace_tokens: replaces what the provider gave, all but `extra`",
    s45_only_the_tokens_of_before_are_replaced: "replace_tokens: only if the account is there and still has the tokens of `before`",
    s45_of_twenty_racers_one_replaces_the_tokens: "replace_tokens: in one write that happens only with these tokens",
    replaced_tokens_are_those_of_one_account: "replace_tokens: of an account, and of no other",
    accounts_go_while_their_tokens_are_replaced: "each method is atomic, and nothing comes back",
    s91_accounts_are_compared_exactly: "texts are compared exactly, by case and by code point",
    s91_a_separator_moves_nothing: "keys, ids and addresses may hold anything: a store binds or encodes them",
};

async fn accounts_are_answered_in_order(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let accounts: Vec<_> = (0..12).map(|_| random_account()).collect();
    let user = users.create_user(&User::new(""), Some(&accounts[0])).await?;
    for account in &accounts[1..] {
        users.link_account(&user.id, account).await?;
    }
    ensure!(users.accounts_of(&user.id).await? == accounts, "not all accounts, or in another order");
    for account in &accounts {
        let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
        ensure!(found.as_ref() == Some(&user), "one of several accounts does not find its user");
    }
    Ok(())
}

async fn accounts_keep_their_tokens(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let user = users.create_user(&User::new(""), None).await?;
    let mut linked = Vec::new();
    for (kind, tokens) in ["oidc", "oauth", "credentials"].into_iter().zip(all_some_and_no_tokens()) {
        let account = Account { tokens, ..Account::new(kind, random(), random()) };
        users.link_account(&user.id, &account).await?;
        linked.push(account);
    }
    let found = users.accounts_of(&user.id).await?;
    for (found, linked) in found.iter().zip(&linked) {
        ensure!(found == linked, "the account of the kind {} came back changed", linked.kind);
    }
    ensure!(found.len() == linked.len(), "{} accounts of 3", found.len());

    let account = Account { tokens: linked.swap_remove(0).tokens, ..random_account() };
    let first = users.create_user(&User::new(""), Some(&account)).await?;
    ensure!(users.accounts_of(&first.id).await? == [account], "the first account came back changed");
    Ok(())
}

fn all_some_and_no_tokens() -> [ProviderTokens; 3] {
    let text = |name: &str| Some(format!("{name} '\"\\ 🙂 {}", "x".repeat(4000)));
    let all = ProviderTokens {
        access_token: text("access"),
        refresh_token: text("refresh"),
        id_token: text("id"),
        expires_at: Some(253_402_300_799),
        token_type: Some("bearer".to_owned()),
        scope: text("openid email"),
        session_state: text("state"),
        ..ProviderTokens::default()
    };
    let some = ProviderTokens {
        access_token: Some(String::new()),
        expires_at: Some(0),
        ..ProviderTokens::default()
    };
    [all, some, ProviderTokens::default()]
}

async fn a_linked_account_is_not_anothers(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let account = random_account();
    let owner = users.create_user(&User::new(""), Some(&account)).await?;
    let other = users.create_user(&User::new(""), None).await?;
    conflict(users.link_account(&other.id, &account).await, "an account was linked to a second user")?;
    conflict(users.link_account(&owner.id, &account).await, "an account was linked twice")?;
    ensure!(users.accounts_of(&other.id).await?.is_empty(), "a refused account was linked");
    ensure!(users.accounts_of(&owner.id).await?.len() == 1, "an account is there twice");
    let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
    ensure!(found == Some(owner), "the account is another user's now");

    let account = random_account();
    let nobody = uuid::Uuid::new_v4().to_string();
    for id in [&*nobody, "nobody", ""] {
        conflict(users.link_account(id, &account).await, "an account of nobody")?;
        let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
        ensure!(found.is_none(), "an account of nobody finds somebody");
    }
    users.link_account(&other.id, &account).await?;
    Ok(())
}

async fn s89_links_at_once_make_one(kit: &Kit) -> Checked {
    let users = kit.users()?;
    kit.needs_unique_keys()?;
    let account = random_account();
    let mut ids = Vec::new();
    for _ in 0..10 {
        ids.push(users.create_user(&User::new(""), None).await?.id);
    }
    let answers = at_once(ids.len(), |index| {
        let (users, account, id) = (users.clone(), account.clone(), ids[index].clone());
        async move { users.link_account(&id, &account).await.map(|()| id) }
    })
    .await?;
    let winner = one_of(answers, "links of one account")?;
    for id in &ids {
        let linked = users.accounts_of(id).await?.len();
        ensure!(linked == usize::from(*id == winner), "a user has {linked} accounts after the race");
    }
    Ok(())
}

async fn an_unlinked_account_is_nobodys(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (one, other) = (random_account(), random_account());
    let user = users.create_user(&User::new(""), Some(&one)).await?;
    users.link_account(&user.id, &other).await?;
    ensure!(!users.unlink_account("other", &one.provider_account_id).await?, "another provider's account");
    ensure!(users.unlink_account(&one.provider, &one.provider_account_id).await?, "there was an account");
    ensure!(!users.unlink_account(&one.provider, &one.provider_account_id).await?, "there was none any more");
    let found = users.user_by_account(&one.provider, &one.provider_account_id).await?;
    ensure!(found.is_none(), "found by an account that was taken away");
    ensure!(users.accounts_of(&user.id).await? == [other], "not the other account alone is left");
    let next = users.create_user(&User::new(""), Some(&one)).await?;
    ensure!(next.id != user.id, "a new user has the id of another");
    Ok(())
}

async fn tokens_are_replaced_as_they_are(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let mut account = random_account();
    let user = users.create_user(&User::new(""), Some(&account)).await?;
    let [mut all, some, none] = all_some_and_no_tokens();
    // Later times are another check's: columns of others may be too narrow for them.
    all.expires_at = Some(i32::MAX.into());
    // To themselves as well: that is made, though nothing is another then.
    for after in [&some, &all, &all, &some, &none, &none, &all, &none] {
        let mut given = after.clone();
        given.extra.insert("interval".to_owned(), 5.into());
        ensure!(replace(&*users, &account, &account.tokens, &given).await?, "tokens were not replaced");
        account.tokens = after.clone();
        let found = users.accounts_of(&user.id).await?;
        ensure!(found == [account.clone()], "an account came back changed from its new tokens");
    }
    Ok(())
}

async fn replace(
    users: &dyn UserStore,
    account: &Account,
    before: &ProviderTokens,
    after: &ProviderTokens,
) -> Result<bool> {
    users.replace_tokens(&account.provider, &account.provider_account_id, before, after).await
}

fn tokens(access: Option<&str>, refresh: Option<&str>) -> ProviderTokens {
    ProviderTokens {
        access_token: access.map(str::to_owned),
        refresh_token: refresh.map(str::to_owned),
        ..ProviderTokens::default()
    }
}

async fn s45_only_the_tokens_of_before_are_replaced(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (token, after) = (random(), tokens(Some("after"), Some("after")));
    let near: Vec<_> = near_misses(&token).into_iter().chain(with_nul(&token)).map(Some).collect();
    let near = || near.iter().map(Option::as_deref).chain([None]);
    for (access, refresh) in [
        (Some(&*token), Some(&*token)),
        (Some(&*token), None),
        (Some(&*token), Some("")),
        (None, Some(&*token)),
        (Some(""), Some(&*token)),
        (None, None),
        (Some(""), Some("")),
    ] {
        let is = tokens(access, refresh);
        let account = Account { tokens: is.clone(), ..random_account() };
        let user = users.create_user(&User::new(""), Some(&account)).await?;
        let others = near().filter(|other| *other != access).map(|other| tokens(other, refresh));
        let others =
            others.chain(near().filter(|other| *other != refresh).map(|other| tokens(access, other)));
        for before in others {
            let (access, refresh) = (&before.access_token, &before.refresh_token);
            let may_fail = [access, refresh].into_iter().flatten().any(|token| token.contains('\0'));
            let replaced = match replace(&*users, &account, &before, &after).await {
                Err(_) if may_fail => false,
                answer => answer?,
            };
            ensure!(!replaced, "{access:?} and {refresh:?} were taken for others");
        }
        for (provider, id) in [("other", &*account.provider_account_id), (&*account.provider, "")] {
            let replaced = users.replace_tokens(provider, id, &is, &after).await?;
            ensure!(!replaced, "tokens of an account that is not there");
        }
        let found = users.accounts_of(&user.id).await?;
        ensure!(found == [account.clone()], "what was not replaced is another");
        // What else was given does not matter.
        let before = ProviderTokens { scope: Some("other".to_owned()), expires_at: Some(1), ..is };
        ensure!(replace(&*users, &account, &before, &after).await?, "{access:?} and {refresh:?} were missed");
    }
    Ok(())
}

async fn s45_of_twenty_racers_one_replaces_the_tokens(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let before = tokens(Some("access"), Some("refresh"));
    for before in [before, ProviderTokens::default()] {
        let account = Account { tokens: before.clone(), ..random_account() };
        let user = users.create_user(&User::new(""), Some(&account)).await?;
        let answers = at_once(20, |index| {
            let (users, account, before) = (users.clone(), account.clone(), before.clone());
            async move {
                let after = tokens(Some(&format!("access {index}")), Some(&format!("refresh {index}")));
                replace(&*users, &account, &before, &after).await.map(|made| made.then_some(after))
            }
        })
        .await?;
        let mut written = Vec::new();
        for answer in answers {
            written.extend(answer?);
        }
        ensure!(written.len() == 1, "{} racers replaced the same tokens", written.len());
        let found = users.accounts_of(&user.id).await?;
        ensure!(found.len() == 1 && found[0].tokens == written[0], "not what the winner wrote is there");
    }
    Ok(())
}

async fn replaced_tokens_are_those_of_one_account(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let (before, after) = (tokens(Some("access"), Some("refresh")), tokens(Some("after"), None));
    let new = |provider: &str, id: String| Account {
        tokens: before.clone(),
        ..Account::new("oauth", provider, id)
    };
    let id = random();
    let mut own = [new("conformance", id.clone()), new("other", id), new("conformance", random())];
    let user = users.create_user(&User::new("").name("J Smith").email(random_email()), None).await?;
    for account in &own {
        users.link_account(&user.id, account).await?;
    }
    let of_other = new("conformance", random());
    let other = users.create_user(&User::new(""), Some(&of_other)).await?;
    ensure!(replace(&*users, &own[0], &before, &after).await?, "tokens were not replaced");
    own[0].tokens = after;
    let found = users.accounts_of(&user.id).await?;
    let are_there = own.iter().all(|account| found.contains(account)) && found.len() == own.len();
    ensure!(are_there, "another account of the user is another");
    ensure!(users.accounts_of(&other.id).await? == [of_other], "another user's account is another");
    let found = users.user_by_account(&own[0].provider, &own[0].provider_account_id).await?;
    ensure!(found.as_ref() == Some(&user), "the user is another by that account");
    ensure!(users.user(&user.id).await? == Some(user), "the user is another");
    Ok(())
}

async fn accounts_go_while_their_tokens_are_replaced(kit: &Kit) -> Checked {
    let users = kit.users()?;
    for _ in 0..5 {
        for with_user in [false, true] {
            let account = random_account();
            let user = users.create_user(&User::new(""), Some(&account)).await?;
            let answers = at_once(5, |index| {
                let (users, account, user) = (users.clone(), account.clone(), user.id.clone());
                async move {
                    match index {
                        0 if with_user => users.delete_user(&user).await,
                        0 => users.unlink_account(&account.provider, &account.provider_account_id).await,
                        _ => replace_again_and_again(&*users, &account).await,
                    }
                }
            })
            .await?;
            for (index, answer) in answers.into_iter().enumerate() {
                ensure!(answer? || index > 0, "there was an account, and somebody who had it");
            }
            let found = users.user_by_account(&account.provider, &account.provider_account_id).await?;
            ensure!(found.is_none(), "an account that was taken away is somebody's");
            ensure!(
                users.accounts_of(&user.id).await?.is_empty(),
                "an account that was taken away is listed"
            );
            let replaced = replace(&*users, &account, &account.tokens, &account.tokens).await?;
            ensure!(!replaced, "tokens of an account that was taken away");
        }
    }
    Ok(())
}

/// Gives an account other tokens while it is there, for a while.
async fn replace_again_and_again(users: &dyn UserStore, account: &Account) -> Result<bool> {
    for _ in 0..20 {
        let Some(user) = users.user_by_account(&account.provider, &account.provider_account_id).await? else {
            return Ok(true);
        };
        if let [found] = &users.accounts_of(&user.id).await?[..] {
            replace(users, account, &found.tokens, &tokens(Some(&random()), None)).await?;
        }
    }
    Ok(true)
}

async fn s91_accounts_are_compared_exactly(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let user = users.create_user(&User::new(""), None).await?;
    let id = random();
    let mut accounts: Vec<_> =
        alike().into_iter().map(|text| Account::new("oauth", "conformance", text)).collect();
    accounts.extend(alike().into_iter().map(|text| Account::new("oauth", text, id.as_str())));
    for account in &accounts {
        let linked = users.link_account(&user.id, account).await;
        ensure!(
            linked.is_ok(),
            "refused: {:?} at {:?}: {:?}",
            account.provider_account_id,
            account.provider,
            linked
        );
    }
    for account in &accounts {
        let (provider, id) = (&account.provider, &account.provider_account_id);
        ensure!(users.user_by_account(provider, id).await?.is_some(), "{id:?} at {provider:?} is not found");
    }
    for near in near_misses(&id) {
        let found = users.user_by_account(&accounts[accounts.len() - 1].provider, &near).await?;
        ensure!(found.is_none(), "{near:?} was taken for {id:?}");
    }
    for near in with_nul(&id) {
        let found =
            users.user_by_account(&accounts[accounts.len() - 1].provider, &near).await.unwrap_or_default();
        ensure!(found.is_none(), "an id with U+0000 found somebody");
    }
    // Each takes away itself only.
    for (index, account) in accounts.iter().enumerate() {
        let gone = users.unlink_account(&account.provider, &account.provider_account_id).await?;
        ensure!(gone, "{:?} was taken away by another", account.provider_account_id);
        let left = users.accounts_of(&user.id).await?;
        ensure!(left == accounts[index + 1..], "{:?} took others away", account.provider_account_id);
    }
    Ok(())
}

async fn s91_a_separator_moves_nothing(kit: &Kit) -> Checked {
    let users = kit.users()?;
    let part = random();
    for separator in [":", "|", "/", "\\", ",", " ", "-", "_", "\u{1}", "::"] {
        let (left, right) = (format!("{part}{separator}b"), format!("b{separator}c"));
        let one = Account::new("oauth", left.as_str(), format!("c{part}{separator}"));
        let other = Account::new("oauth", part.as_str(), format!("{right}{part}{separator}"));
        let first = users.create_user(&User::new(""), Some(&one)).await?;
        let found = users.user_by_account(&other.provider, &other.provider_account_id).await?;
        ensure!(found.is_none(), "{separator:?} moved from the provider to the id");
        let second = users.create_user(&User::new(""), Some(&other)).await?;
        ensure!(users.unlink_account(&one.provider, &one.provider_account_id).await?, "there was an account");
        let found = users.user_by_account(&other.provider, &other.provider_account_id).await?;
        ensure!(found == Some(second), "{separator:?}: one account took another away");
        ensure!(users.accounts_of(&first.id).await?.is_empty(), "an account is left");
    }
    Ok(())
}
