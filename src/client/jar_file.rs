//! A jar in a file.

use std::{
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::Duration,
};

use async_trait::async_trait;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use tokio::task;

use super::JarStorage;
use crate::{error::BoxError, random};

/// How the names of files end that take the place of the old one once they are whole.
const NEW: &str = ".new";
/// How often, and how far apart, a lock is tried before the jar goes on without it.
const LOCK_TRIES: usize = 200;
const LOCK_PAUSE: Duration = Duration::from_millis(10);

/// Keeps a [`CookieJar`](super::CookieJar) in a file that nobody but its owner may read or write (mode 0600).
///
/// A new version takes the place of the old one as a whole, so that a program that is stopped in the middle leaves
/// one or the other. Its folder has to exist: without it a jar does not open.
///
/// Programs that run at once over one file are one visitor: a jar reads it before each request, and changes it while it
/// holds a lock on a file beside it (`.lock`), which stays.
///
/// ```
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use portcullis::client::{CookieJar, JarFile};
///
/// # let folder = std::env::temp_dir();
/// let jar = CookieJar::open(JarFile::new(folder.join("my-program-cookies.json"))).await?;
/// # Ok(()) }
/// ```
#[derive(Debug, Clone)]
pub struct JarFile {
    path: PathBuf,
    /// Whether the log knows that others may read it.
    told: Arc<AtomicBool>,
}

impl JarFile {
    /// A jar in this file, which need not be there yet.
    pub fn new(path: impl Into<PathBuf>) -> Self {
        Self { path: path.into(), told: Arc::default() }
    }
}

#[async_trait]
impl JarStorage for JarFile {
    async fn load(&self) -> Result<Option<String>, BoxError> {
        let path = self.path.clone();
        let (text, others_may_read) =
            task::spawn_blocking(move || (read(&path), others_may_read(&path))).await?;
        if others_may_read && !self.told.swap(true, Ordering::Relaxed) {
            tracing::warn!(
                path = %self.path.display(),
                "others may read these cookies and act as the user: chmod 600 it, and sign out if somebody may have done so"
            );
        }
        text
    }

    async fn save(&self, cookies: &str) -> Result<(), BoxError> {
        let (path, cookies) = (self.path.clone(), cookies.to_owned());
        let saved = task::spawn_blocking(move || {
            replace(&path, &cookies).map_err(|error| format!("{}: {error}", path.display()))
        });
        Ok(saved.await??)
    }

    fn is_shared(&self) -> bool {
        true
    }

    async fn lock(&self) -> Result<Box<dyn Send>, BoxError> {
        let path = beside(&self.path, "lock");
        let locked =
            task::spawn_blocking(move || lock(&path).map_err(|error| format!("{}: {error}", path.display())));
        Ok(Box::new(locked.await??))
    }
}

/// Without one nothing could be saved later, which only the log would say.
fn missing_folder(path: &Path) -> Option<&Path> {
    path.parent().filter(|folder| !folder.as_os_str().is_empty() && !folder.is_dir())
}

fn read(path: &Path) -> Result<Option<String>, BoxError> {
    match fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => match missing_folder(path) {
            Some(folder) => Err(format!("there is no folder {}: make it first", folder.display()).into()),
            None => Ok(None),
        },
        Err(error) => Err(format!("{}: {error}", path.display()).into()),
    }
}

/// Writes beside the file first: with a name that nobody can know, so that nothing is written through somebody's link, nor
/// into what a program writes that could not be kept from it.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let random = random::bytes::<12>().map_err(io::Error::other)?;
    let new = beside(path, &format!("{}{NEW}", URL_SAFE_NO_PAD.encode(random)));
    let written = write_new(&new, text).and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        let _ = fs::remove_file(&new); // It may not be there; what went wrong is said below.
    }
    written
}

fn write_new(path: &Path, text: &str) -> io::Result<()> {
    let mut file = for_its_owner().create_new(true).open(path)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()
}

/// Until the file is dropped. A program that holds it for seconds hangs, or has been stopped.
fn lock(path: &Path) -> io::Result<File> {
    let file = for_its_owner().create(true).truncate(false).open(path)?;
    for _ in 0..LOCK_TRIES {
        match file.try_lock() {
            Ok(()) => {
                remove_left(path);
                return Ok(file);
            }
            Err(TryLockError::WouldBlock) => thread::sleep(LOCK_PAUSE),
            Err(TryLockError::Error(error)) => return Err(error),
        }
    }
    Err(io::Error::other("another program has had it locked for seconds: does it hang?"))
}

/// Takes away what programs have left that were stopped while they saved. Nobody saves while `lock` is held here;
/// whoever could not be kept from it tries again.
fn remove_left(lock: &Path) {
    let Some(beginning) = lock.file_stem().and_then(|name| name.to_str()) else { return };
    let folder = lock.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let left = fs::read_dir(folder).into_iter().flatten().flatten().filter(|file| {
        let name = file.file_name();
        let name = name.to_str().and_then(|name| name.strip_prefix(beginning)?.strip_prefix('.'));
        name.is_some_and(|name| name.ends_with(NEW))
    });
    for file in left {
        let _ = fs::remove_file(file.path()); // Somebody else's, perhaps, who can do so.
    }
}

fn for_its_owner() -> OpenOptions {
    let mut options = OpenOptions::new();
    options.write(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    path.with_file_name(name)
}

#[cfg(unix)]
fn others_may_read(path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    fs::metadata(path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0)
}

#[cfg(not(unix))]
fn others_may_read(_: &Path) -> bool {
    false
}

#[cfg(test)]
mod tests {
    use std::env;

    use super::JarFile;
    use crate::client::{ClientErrorKind, CookieJar};

    #[tokio::test]
    async fn a_file_that_could_not_be_saved_does_not_open() {
        let missing = env::temp_dir().join("of-portcullis-and-not-there");
        let refused = CookieJar::open(JarFile::new(missing.join("cookies.json"))).await.unwrap_err();
        assert_eq!(refused.kind(), ClientErrorKind::Storage);
        assert!(refused.to_string().ends_with("and-not-there: make it first"), "{refused}");
        for path in ["not-there.json".into(), missing] {
            CookieJar::open(JarFile::new(path)).await.unwrap();
        }
    }
}
