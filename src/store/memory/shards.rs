use std::{
    borrow::Borrow,
    collections::HashMap,
    hash::Hash,
    sync::{Arc, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard},
};

use crate::store::SessionKey;

/// A map in several parts, each with a lock of its own, so that readers seldom meet.
pub(super) struct Shards<K, V>([RwLock<HashMap<K, V>>; COUNT]);

const COUNT: usize = 32;

impl<K, V> Default for Shards<K, V> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| RwLock::default()))
    }
}

impl<K: Hash + Eq, V> Shards<K, V> {
    /// What `of` takes from the value of `key`; the lock is held for so long.
    pub(super) fn read<Q: Part + ?Sized, T>(&self, key: &Q, of: impl FnOnce(&V) -> T) -> Option<T>
    where
        K: Borrow<Q>,
    {
        self.reader(key).get(key).map(of)
    }

    pub(super) fn contains<Q: Part + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.reader(key).contains_key(key)
    }

    /// What `change` makes of the value of `key`, in place.
    pub(super) fn change<Q: Part + ?Sized, T>(&self, key: &Q, change: impl FnOnce(&mut V) -> T) -> Option<T>
    where
        K: Borrow<Q>,
    {
        self.writer(key).get_mut(key).map(change)
    }

    pub(super) fn insert(&self, key: K, value: V)
    where
        K: Part,
    {
        self.writer(&key).insert(key, value);
    }

    pub(super) fn remove<Q: Part + ?Sized>(&self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        self.writer(key).remove(key)
    }

    pub(super) fn len(&self) -> usize {
        self.0.iter().map(|shard| shard.read().unwrap_or_else(PoisonError::into_inner).len()).sum()
    }

    fn reader<Q: Part + ?Sized>(&self, key: &Q) -> RwLockReadGuard<'_, HashMap<K, V>> {
        self.0[key.part() % COUNT].read().unwrap_or_else(PoisonError::into_inner)
    }

    fn writer<Q: Part + ?Sized>(&self, key: &Q) -> RwLockWriteGuard<'_, HashMap<K, V>> {
        self.0[key.part() % COUNT].write().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Which part a key belongs to. Keys of sessions and ids of users are random, so a few bytes of them will do;
/// the maps themselves hash with a key.
pub(super) trait Part: Hash + Eq {
    fn part(&self) -> usize;
}

impl Part for str {
    fn part(&self) -> usize {
        self.bytes()
            .rev()
            .take(4)
            .fold(0, |part: usize, byte| part.wrapping_mul(31).wrapping_add(byte.into()))
    }
}

impl Part for Arc<str> {
    fn part(&self) -> usize {
        (**self).part()
    }
}

impl Part for SessionKey {
    fn part(&self) -> usize {
        self.as_str().part()
    }
}
