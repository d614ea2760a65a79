//! What is logged on the thread of a test.

use std::{
    fmt::Debug,
    io::{self, Write},
    sync::{Arc, Mutex, Once},
};

use portcullis::{Auth, AuthBuilder, Event, JwtContext, SessionContext, SignInContext, SignInDecision};
use tracing::{Level, Subscriber, subscriber::DefaultGuard};
use tracing_subscriber::fmt::{MakeWriter, format::FmtSpan};

/// Text that somebody writes, line by line.
#[derive(Clone, Default)]
pub struct Log(Arc<Mutex<Vec<u8>>>);

impl Log {
    /// What this thread logs from now on, up to this level, as long as the guard is there.
    pub fn of(level: Level) -> (Self, DefaultGuard) {
        let log = Self::default();
        let subscriber =
            tracing_subscriber::fmt().with_ansi(false).with_max_level(level).with_span_events(FmtSpan::FULL);
        let guard = subscribed(subscriber.with_writer(log.clone()).finish());
        (log, guard)
    }

    /// Writes down how a value shows itself, as whoever debugs a program would.
    pub fn debug(&self, value: &impl Debug) {
        writeln!(self.clone(), "{value:?} {value:#?}").unwrap();
    }

    /// A site whose callbacks write down everything that they are given.
    pub fn site(&self, builder: AuthBuilder) -> Auth {
        let out = || self.clone();
        let (sign_in, jwt, session, event) = (out(), out(), out(), out());
        let builder = builder
            .on_sign_in(move |context: SignInContext| {
                sign_in.debug(&context);
                async { Ok(SignInDecision::Allow) }
            })
            .on_jwt(move |JwtContext { token, user, account, trigger, .. }: JwtContext| {
                jwt.debug(&(&token, user, account, trigger));
                async { Ok(Some(token)) }
            })
            .on_session(move |context: SessionContext| {
                session.debug(&context);
                async { Ok(context.session) }
            })
            .on_event(move |happened: Event| {
                event.debug(&happened);
                async { Ok(()) }
            });
        self.debug(&builder);
        let auth = builder.build().unwrap();
        self.debug(&auth);
        auth
    }

    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.0.lock().unwrap()).into_owned()
    }
}

/// Makes this the subscriber of the test's thread.
///
/// While it is the only one, a line that another thread reaches first is switched off for all: that thread, which has no
/// subscriber, is the one that is asked. So there is another one, for the rest of them.
fn subscribed(subscriber: impl Subscriber + Send + Sync) -> DefaultGuard {
    static REST: Once = Once::new();
    REST.call_once(|| {
        let rest = tracing_subscriber::fmt().with_max_level(Level::TRACE).with_writer(io::sink);
        tracing::subscriber::set_global_default(rest.finish()).unwrap();
    });
    tracing::subscriber::set_default(subscriber)
}

impl Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'w> MakeWriter<'w> for Log {
    type Writer = Self;

    fn make_writer(&'w self) -> Self {
        self.clone()
    }
}
