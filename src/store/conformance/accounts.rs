//! The accounts with which users sign in.

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, conflict, one_of, random, random_account},
    race::at_once,
    texts::{alike, near_misses, with_nul},
};
use crate::user::{Account, ProviderTokens, User};

pub(super) const CHECKS: &[Check] = checks! {
    accounts_are_answered_in_order: "accounts_of: those that were linked first in front",
    accounts_keep_their_tokens: "link_account: what the provider gave is stored as it is",
    a_linked_account_is_not_anothers: "link_account: Conflict if somebody has this account, or there is no such user",
    s89_links_at_once_make_one: "link_account: Conflict if somebody has this account",
    an_unlinked_account_is_nobodys: "unlink_account: says whether there was one",
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
    let mut linked = Vec::new();
    for (kind, tokens) in [("oidc", all), ("oauth", some), ("credentials", ProviderTokens::default())] {
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
