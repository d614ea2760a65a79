//! What is revoked: two sorted sets in one slot, so that all of it is read with one script.

use async_trait::async_trait;

use super::{RedisStore, record, script};
use crate::{
    clock::Timestamp,
    store::{Result, Revocation, RevocationStore},
};

#[async_trait]
impl RevocationStore for RedisStore {
    async fn revoke(&self, revocation: &Revocation) -> Result<()> {
        let [made, ends] = self.keys.revocations();
        let mut script = script::REVOKE.key(made);
        script.key(ends).arg(record::revoked(&revocation.subject));
        script.arg(revocation.at.as_millis()).arg(revocation.expires.as_millis());
        self.link.run(&script).await
    }

    async fn revocations(&self, since: Timestamp) -> Result<Vec<Revocation>> {
        let [made, ends] = self.keys.revocations();
        let found: Vec<(String, f64, f64)> =
            self.link.run_reading(script::REVOCATIONS.key(made).key(ends).arg(since.as_millis())).await?;
        found
            .iter()
            .map(|(subject, at, ends)| record::revocation(subject, *at as i64, *ends as i64))
            .collect()
    }

    async fn delete_expired_revocations(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let [made, ends] = self.keys.revocations();
        let mut script = script::EXPIRE_REVOCATIONS.key(made);
        self.link.run(script.key(ends).arg(now.as_millis()).arg(limit)).await
    }
}
