use async_trait::async_trait;

use super::{
    SqlStore,
    backend::Backend,
    connection::again,
    fault::{Fault, Outcome},
    statement::{Arg, Row},
    users::{nobody_if_unstorable, usable},
};
use crate::{
    clock::Timestamp,
    store::{Result, Revocation, RevocationStore, Revoked, VerificationToken, VerificationTokenStore},
};

#[async_trait]
impl<B: Backend> VerificationTokenStore for SqlStore<B> {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        Ok(again!(self.try_create_token(token))?)
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        let key = [identifier.into(), token.into()];
        nobody_if_unstorable(match &self.tokens.take {
            Some(take) => again!(async { first_token(self.take(take.get()?, &key).await?) }),
            None => again!(self.lock_and_delete(&key)),
        })
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let args = [now.into(), i64::from(limit).into()];
        Ok(again!(async { self.write(self.tokens.delete_expired.get()?, &args).await })?)
    }
}

#[async_trait]
impl<B: Backend> RevocationStore for SqlStore<B> {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        let (kind, subject) = match &revocation.subject {
            Revoked::Session(id) => (SESSION, id),
            Revoked::User(id) => (USER, id),
        };
        let args = [kind.into(), subject.as_str().into(), revocation.at.into(), revocation.expires.into()];
        again!(async { self.write(self.tokens.revoke.get()?, &args).await })?;
        Ok(())
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        let found = async {
            let rows = self.read(self.tokens.revocations.get()?, &[since.into()]).await?;
            rows.into_iter().map(revocation_of).collect::<Outcome<_>>()
        };
        Ok(found.await?)
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let args = [now.into(), i64::from(limit).into()];
        Ok(again!(async { self.write(self.tokens.delete_expired_revocations.get()?, &args).await })?)
    }
}

const SESSION: &str = "session";
const USER: &str = "user";

impl<B: Backend> SqlStore<B> {
    async fn try_create_token(&self, token: &VerificationToken) -> Outcome<()> {
        let tokens = usable(&self.layout.tokens)?;
        let insert = self.tokens.insert.get()?;
        let key: [Arg<'_>; 2] = [token.identifier.as_str().into(), token.token.as_str().into()];
        let args = [key[0], key[1], token.expires.into()];
        if tokens.is_unique(&["identifier", "token"]) {
            return self.write(insert, &args).await.map(drop);
        }
        let mut transaction = self.begin().await?;
        transaction.hold([&tokens.name, &token.identifier, &token.token]).await?;
        if !transaction.rows(self.tokens.lock.get()?, &key).await?.is_empty() {
            return Err(Fault::Taken("there is such a token"));
        }
        transaction.run(insert, &args).await?;
        transaction.commit().await
    }

    /// Takes a token out where no one statement removes and answers.
    async fn lock_and_delete(&self, key: &[Arg<'_>]) -> Outcome<Option<VerificationToken>> {
        let mut transaction = self.begin().await?;
        let token = first_token(transaction.rows(self.tokens.lock.get()?, key).await?)?;
        if token.is_some() {
            transaction.run(self.tokens.delete.get()?, key).await?;
        }
        transaction.commit().await?;
        Ok(token)
    }
}

fn first_token(rows: Vec<Row>) -> Outcome<Option<VerificationToken>> {
    rows.into_iter().next().map(token_of).transpose()
}

fn token_of(mut row: Row) -> Outcome<VerificationToken> {
    let identifier = row.needed_text("identifier of a token")?;
    let token = row.needed_text("token")?;
    Ok(VerificationToken::new(identifier, token, row.time().ok_or(Fault::Unreadable("end of a token"))?))
}

fn revocation_of(mut row: Row) -> Outcome<Revocation> {
    let (kind, subject) = (row.text(), row.needed_text("subject of a revocation")?);
    let subject = match kind.as_deref() {
        Some(SESSION) => Revoked::Session(subject),
        Some(USER) => Revoked::User(subject),
        _ => return Err(Fault::Unreadable("kind of a revocation")),
    };
    let (at, expires) = (row.time(), row.time());
    let (Some(at), Some(expires)) = (at, expires) else {
        return Err(Fault::Unreadable("time of a revocation"));
    };
    Ok(Revocation::new(subject, at, expires))
}
