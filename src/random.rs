//! Random bytes: the one place that asks the system for them.

/// What the system's generator could not give.
pub(crate) type NoRandomness = getrandom::Error;

/// `N` random bytes from the operating system.
pub(crate) fn bytes<const N: usize>() -> Result<[u8; N], NoRandomness> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes)?;
    Ok(bytes)
}
