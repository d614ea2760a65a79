//! One-time tokens.

use super::{
    Check, checks, ensure,
    kit::{Checked, Kit, conflict, in_seconds, one_of, random, random_email, random_token},
    race::{at_once, drop_after, race_for_token},
    texts::{alike, near_misses, with_nul},
};
use crate::{clock::Timestamp, store::VerificationToken};

pub(super) const CHECKS: &[Check] = checks! {
    s48_a_token_is_used_once: "use_verification_token: takes a token out and answers it, expired or not",
    s48_of_fifty_racers_one_gets_the_token: "use_verification_token: of any number of callers one gets it",
    s48_a_token_is_kept_once: "create_verification_token: Conflict if it is there",
    s88_a_dropped_use_takes_the_token_once: "each method is atomic, also when its future is dropped half-way",
    s49_a_token_belongs_to_its_identifier: "use_verification_token: identifier and token together",
    s49_a_separator_moves_nothing: "keys, ids and addresses may hold anything: a store binds or encodes them",
    s49_tokens_of_one_identifier_are_several: "use_verification_token: takes a token out, and no other",
    s91_tokens_are_compared_exactly: "texts are compared exactly, by case and by code point",
};

async fn s48_a_token_is_used_once(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    let soon = in_seconds(3600).as_millis() / 1000 * 1000;
    for millis in [soon + 1, soon + 999, 253_402_300_799_000, 946_684_800_000] {
        let token = VerificationToken { expires: Timestamp::from_millis(millis), ..random_token() };
        tokens.create_verification_token(&token).await?;
        let used = tokens.use_verification_token(&token.identifier, &token.token).await?;
        let expired = millis == 946_684_800_000;
        let gone = used.is_none() && expired && kit.extent.evicts_expired;
        ensure!(gone || used.as_ref() == Some(&token), "{token:?} was answered with {used:?}");
        let again = tokens.use_verification_token(&token.identifier, &token.token).await?;
        ensure!(again.is_none(), "a token was used twice");
    }
    Ok(())
}

async fn s48_of_fifty_racers_one_gets_the_token(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    for _ in 0..5 {
        let token = random_token();
        tokens.create_verification_token(&token).await?;
        let won = race_for_token(tokens.clone(), &token.identifier, &token.token, 50).await?;
        ensure!(won == 1, "{won} of 50 racers got the token");
    }
    Ok(())
}

async fn s48_a_token_is_kept_once(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    kit.needs_unique_keys()?;
    let token = random_token();
    let answers = at_once(10, |index| {
        let (tokens, mut token) = (tokens.clone(), token.clone());
        token.expires = in_seconds(3600 + index as u64);
        async move { tokens.create_verification_token(&token).await.map(|()| token) }
    })
    .await?;
    let first = one_of(answers, "tokens that are the same")?;
    let longer = VerificationToken { expires: in_seconds(9000), ..token.clone() };
    conflict(tokens.create_verification_token(&longer).await, "a token over another")?;
    let used = tokens.use_verification_token(&token.identifier, &token.token).await?;
    ensure!(used == Some(first), "the first token was changed by another");
    let again = tokens.use_verification_token(&token.identifier, &token.token).await?;
    ensure!(again.is_none(), "a token was kept twice");
    Ok(())
}

async fn s88_a_dropped_use_takes_the_token_once(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    for polls in 1..=8 {
        let token = random_token();
        tokens.create_verification_token(&token).await?;
        let done = drop_after(polls, tokens.use_verification_token(&token.identifier, &token.token)).await;
        let won = race_for_token(tokens.clone(), &token.identifier, &token.token, 5).await?;
        ensure!(won <= usize::from(!done), "used again after a use that was dropped after {polls} polls");
    }
    Ok(())
}

async fn s49_a_token_belongs_to_its_identifier(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    let (one, other) = (random_token(), random_token());
    for token in [&one, &other] {
        tokens.create_verification_token(token).await?;
    }
    let unknown = random_email();
    for (identifier, token, what) in [
        (&one.identifier, &other.token, "the token of another"),
        (&other.identifier, &one.token, "the token of another"),
        (&unknown, &one.token, "an unknown identifier"),
        (&one.identifier, &random(), "an unknown token"),
        (&one.token, &one.identifier, "the two swapped"),
        (&one.identifier, &String::new(), "no token"),
        (&String::new(), &one.token, "no identifier"),
    ] {
        let used = tokens.use_verification_token(identifier, token).await?;
        ensure!(used.is_none(), "{what} was answered with {used:?}");
    }
    for token in [one, other] {
        let used = tokens.use_verification_token(&token.identifier, &token.token).await?;
        ensure!(used == Some(token), "a wrong attempt has used the token up");
    }
    Ok(())
}

async fn s49_a_separator_moves_nothing(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    let part = random();
    for separator in [":", "|", "/", "\\", ",", " ", "-", "_", "\u{1}", "::", ""] {
        let expires = in_seconds(3600);
        let one =
            VerificationToken::new(format!("{part}{separator}b"), format!("c{separator}{part}"), expires);
        let other = VerificationToken::new(part.as_str(), format!("b{separator}c{separator}{part}"), expires);
        tokens.create_verification_token(&one).await?;
        let used = tokens.use_verification_token(&other.identifier, &other.token).await?;
        ensure!(used.is_none(), "{separator:?} moved from the identifier to the token");
        tokens.create_verification_token(&other).await?;
        for token in [one, other] {
            let used = tokens.use_verification_token(&token.identifier, &token.token).await?;
            ensure!(used.as_ref() == Some(&token), "{separator:?}: one token is another");
        }
    }
    Ok(())
}

async fn s49_tokens_of_one_identifier_are_several(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    let (identifier, text) = (random_email(), random());
    let mut made: Vec<_> =
        (0..5).map(|_| VerificationToken { identifier: identifier.clone(), ..random_token() }).collect();
    made.extend((0..5).map(|_| VerificationToken { token: text.clone(), ..random_token() }));
    for token in &made {
        tokens.create_verification_token(token).await?;
    }
    for token in made {
        let used = tokens.use_verification_token(&token.identifier, &token.token).await?;
        ensure!(used == Some(token), "using one token has taken another");
    }
    Ok(())
}

async fn s91_tokens_are_compared_exactly(kit: &Kit) -> Checked {
    let tokens = kit.tokens()?;
    let token = random_token();
    let expires = token.expires;
    let mut made: Vec<_> =
        alike().into_iter().map(|text| VerificationToken::new(text, token.token.as_str(), expires)).collect();
    made.extend(
        alike().into_iter().map(|text| VerificationToken::new(token.identifier.as_str(), text, expires)),
    );
    made.push(token.clone());
    for token in &made {
        let answer = tokens.create_verification_token(token).await;
        ensure!(answer.is_ok(), "refused: {:?} of {:?}: {answer:?}", token.token, token.identifier);
    }
    for near in near_misses(&token.identifier) {
        let used = tokens.use_verification_token(&near, &token.token).await?;
        ensure!(used.is_none(), "{near:?} was taken for {:?}", token.identifier);
    }
    for near in near_misses(&token.token) {
        let used = tokens.use_verification_token(&token.identifier, &near).await?;
        ensure!(used.is_none(), "{near:?} was taken for {:?}", token.token);
    }
    for (identifier, text) in with_nul(&token.identifier).into_iter().zip(with_nul(&token.token)) {
        for (identifier, text) in [(&identifier, &token.token), (&token.identifier, &text)] {
            let used = tokens.use_verification_token(identifier, text).await.unwrap_or_default();
            ensure!(used.is_none(), "a text with U+0000 used a token");
        }
    }
    for token in made {
        let used = tokens.use_verification_token(&token.identifier, &token.token).await?;
        ensure!(
            used.as_ref() == Some(&token),
            "{:?} of {:?} was used by another",
            token.token,
            token.identifier
        );
    }
    Ok(())
}
