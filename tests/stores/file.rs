//! One-time tokens in files: a store that several processes share without a server. It shows that the race of
//! processes is one, and that it sees a store which gives a token to more than one.

use std::{
    fs,
    path::{Path, PathBuf},
};

use async_trait::async_trait;
use portcullis::{
    Timestamp,
    store::{Result, StoreError, VerificationToken, VerificationTokenStore},
};

use crate::processes::winners;

#[derive(Debug)]
pub struct Tokens {
    folder: PathBuf,
    /// It forgets to take tokens out.
    careless: bool,
}

impl Tokens {
    pub fn open(name: &str, folder: &str) -> Self {
        Self { folder: folder.into(), careless: name == "careless" }
    }

    fn path(&self, identifier: &str, token: &str) -> PathBuf {
        let name: String = format!("{}.{identifier}{token}", identifier.len())
            .bytes()
            .map(|byte| format!("{byte:02x}"))
            .collect();
        self.folder.join(name.chars().rev().take(200).collect::<String>())
    }
}

#[async_trait]
impl VerificationTokenStore for Tokens {
    async fn create_verification_token(&self, token: &VerificationToken) -> Result<()> {
        let path = self.path(&token.identifier, &token.token);
        fs::File::create_new(path).map(drop).map_err(StoreError::conflict)
    }

    async fn use_verification_token(
        &self,
        identifier: &str,
        token: &str,
    ) -> Result<Option<VerificationToken>> {
        let path = self.path(identifier, token);
        let there = if self.careless { path.exists() } else { fs::remove_file(path).is_ok() };
        Ok(there.then(|| VerificationToken::new(identifier, token, Timestamp::from_secs(0))))
    }

    async fn delete_expired_verification_tokens(&self, _: Timestamp, _: u32) -> Result<u64> {
        Ok(0)
    }
}

async fn winners_of(name: &str) -> usize {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("{name}-{}", std::process::id()));
    fs::create_dir_all(&folder).unwrap();
    let place = folder.to_str().unwrap();
    let winners = winners(name, place, &Tokens::open(name, place)).await;
    fs::remove_dir_all(&folder).unwrap();
    winners
}

#[tokio::test(flavor = "multi_thread")]
async fn s48_of_fifty_racers_in_five_processes_one_gets_the_token() {
    assert_eq!(winners_of("careful").await, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_race_of_processes_sees_a_token_that_is_used_twice() {
    assert_eq!(winners_of("careless").await, 50);
}
