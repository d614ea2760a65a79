use std::{
    collections::{BTreeSet, HashMap},
    hash::Hash,
    sync::Arc,
};

use crate::clock::Timestamp;

/// A map whose entries end, and are found by that.
pub(super) struct Expiring<K, V> {
    entries: HashMap<Arc<K>, (Timestamp, V)>,
    ends: BTreeSet<(Timestamp, Arc<K>)>,
}

impl<K, V> Default for Expiring<K, V> {
    fn default() -> Self {
        Self { entries: HashMap::new(), ends: BTreeSet::new() }
    }
}

impl<K: Hash + Ord, V> Expiring<K, V> {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn get(&self, key: &K) -> Option<&(Timestamp, V)> {
        self.entries.get(key)
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = (&K, Timestamp, &V)> {
        self.entries.iter().map(|(key, (expires, value))| (&**key, *expires, value))
    }

    pub(super) fn insert(&mut self, key: K, expires: Timestamp, value: V) {
        self.remove(&key);
        let key = Arc::new(key);
        self.ends.insert((expires, key.clone()));
        self.entries.insert(key, (expires, value));
    }

    pub(super) fn remove(&mut self, key: &K) -> Option<(Arc<K>, Timestamp)> {
        let (key, (expires, _)) = self.entries.remove_entry(key)?;
        let end = (expires, key);
        self.ends.remove(&end);
        Some((end.1, expires))
    }

    /// Removes the entry that ends first.
    pub(super) fn remove_first(&mut self) {
        if let Some((_, key)) = self.ends.pop_first() {
            self.entries.remove(&key);
        }
    }

    /// Removes at most `limit` entries that have ended at `now`.
    pub(super) fn remove_expired(&mut self, now: Timestamp, limit: u32) -> u64 {
        let mut removed = 0;
        while removed < u64::from(limit) && self.ends.first().is_some_and(|(expires, _)| *expires <= now) {
            self.remove_first();
            removed += 1;
        }
        removed
    }
}
