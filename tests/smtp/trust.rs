//! Which certificates this machine trusts: that is read from the environment, which a process cannot change safely while
//! it runs. So a test that needs certificates of ours starts itself once more.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The text of a file in `tests/keys`.
pub fn key(name: &str) -> Vec<u8> {
    fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/keys").join(name)).unwrap()
}

/// Whether this process trusts both certificates of `tests/keys`; if not, the test has run in one that does.
pub fn is_given(test: &str) -> bool {
    if env::var_os("TRUSTING").is_some() {
        return true;
    }
    let file: PathBuf =
        env::temp_dir().join(format!("portcullis-{}-{}.pem", std::process::id(), test.replace(':', "")));
    fs::write(&file, [key("test-tls.certificate.pem"), key("test-mail.certificate.pem")].concat()).unwrap();
    let output = Command::new(env::current_exe().unwrap())
        .args(["--exact", test, "--nocapture"])
        .env("TRUSTING", "1")
        .env("SSL_CERT_FILE", &file)
        .output()
        .unwrap();
    fs::remove_file(&file).unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(
        output.status.success() && said.contains("1 passed"),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    false
}
