use std::{fmt, time::Duration};

use super::AuthContext;

/// Tells when a session ends, for requests that outlive a look at it: streams, sockets, long polls.
///
/// It ends when its token expires, and when the `jwt` callback says so (`Ok(None)`), which is asked once per
/// `bound` with [`Trigger::Watch`](crate::Trigger::Watch), and whose token is dropped. So the application learns
/// of an end at most `bound` after it, and a clock that is set is noticed within that time, too. A callback that
/// fails ends nothing: nobody is signed out by a fault.
///
/// Of a renewal the watch learns nothing: the new token goes to the browser, and this request still has the
/// old one.
pub struct SessionWatch {
    context: AuthContext,
    bound: Duration,
}

/// No watch asks more often than this.
const SHORTEST: Duration = Duration::from_secs(1);

impl SessionWatch {
    pub(super) fn new(context: AuthContext, bound: Duration) -> Self {
        Self { context, bound: bound.max(SHORTEST) }
    }

    /// Waits until the session has ended. May be dropped and called again.
    pub async fn ended(&self) {
        while let Some(left) = self.context.time_left().await {
            self.context.auth().sleep(left.min(self.bound)).await;
            // A clock whose sleep is over at once must not keep the thread.
            tokio::task::yield_now().await;
        }
    }
}

impl fmt::Debug for SessionWatch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SessionWatch").field("bound", &self.bound).finish_non_exhaustive()
    }
}
