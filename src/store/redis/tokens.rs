//! One-time tokens.

use async_trait::async_trait;

use super::{
    RedisStore,
    layout::{SHARDS, pair, shard_of, split},
    record,
};
use crate::{
    clock::Timestamp,
    store::{Result, StoreError, VerificationToken, VerificationTokenStore},
};

#[async_trait]
impl VerificationTokenStore for RedisStore {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        let key = self.keys.token(&token.identifier, &token.token);
        let text = record::text(record::token_record(token));
        if !self.put(&key, &text, Some(token.expires)).await? {
            return Err(StoreError::conflict("this token is there already"));
        }
        // If this is not reached, the token still ends by itself.
        let (set, member) = self.end_of_token(&token.identifier, &token.token);
        self.link.send(redis::cmd("ZADD").arg(set).arg(token.expires.as_millis()).arg(member)).await
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        let taken: Option<String> =
            self.link.send(redis::cmd("GETDEL").arg(self.keys.token(identifier, token))).await?;
        let Some(text) = taken else { return Ok(None) };
        let (set, member) = self.end_of_token(identifier, token);
        // The token is the caller's by now, whatever comes of this.
        _ = self.link.send::<()>(redis::cmd("ZREM").arg(set).arg(member)).await;
        record::token(&record::record(&text)?).map(Some)
    }

    async fn delete_expired_verification_tokens(&self, now: Timestamp, limit: u32) -> Result<u64> {
        let mut removed = 0;
        for shard in 0..SHARDS {
            if removed < u64::from(limit) {
                removed += self.expire_tokens(shard, now, u64::from(limit) - removed).await?;
            }
        }
        Ok(removed)
    }
}

impl RedisStore {
    /// The set that knows when a token ends, and as what.
    fn end_of_token(&self, identifier: &str, token: &str) -> (String, String) {
        let member = pair(identifier, token);
        (self.keys.token_ends(shard_of(&member)), member)
    }

    async fn expire_tokens(&self, shard: u8, now: Timestamp, limit: u64) -> Result<u64> {
        let set = self.keys.token_ends(shard);
        let mut removed = 0;
        while removed < limit {
            let over = self.over(&set, now, limit - removed).await?;
            if over.is_empty() {
                break;
            }
            let keys: Vec<_> = over
                .iter()
                .filter_map(|member| split(member))
                .map(|(identifier, token)| self.keys.token(&identifier, token))
                .collect();
            // Tokens never change, so those that were over a moment ago still are.
            removed += self.delete(&keys).await?;
            self.link.send::<()>(redis::cmd("ZREM").arg(&set).arg(&over)).await?;
        }
        Ok(removed)
    }

    /// What has ended by `now` according to a set, a batch of it.
    pub(super) async fn over(&self, set: &str, now: Timestamp, limit: u64) -> Result<Vec<String>> {
        let mut command = redis::cmd("ZRANGEBYSCORE");
        command.arg(set).arg("-inf").arg(now.as_millis()).arg("LIMIT").arg(0).arg(limit.min(BATCH));
        self.link.read(&command).await
    }
}

/// How many rows are removed with one command.
const BATCH: u64 = 256;
