use ::tonic::{Code, Status};

use crate::{
    auth::SignInError,
    error::SessionError,
    grpc::{self, NOT_SIGNED_IN},
};

pub(super) fn not_signed_in() -> Status {
    Status::unauthenticated(NOT_SIGNED_IN)
}

/// 14 where trying again may help, else 13.
impl From<SessionError> for Status {
    fn from(error: SessionError) -> Self {
        Self::new(Code::from(grpc::Code::from(&error) as i32), error.to_string())
    }
}

/// 7 for a refusal, 13 for a callback that failed.
impl From<SignInError> for Status {
    fn from(error: SignInError) -> Self {
        let code = if error.is_denied() { Code::PermissionDenied } else { Code::Internal };
        Self::new(code, error.to_string())
    }
}
