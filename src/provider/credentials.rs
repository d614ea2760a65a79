//! Credentials: whatever the application can check itself (`docs/protocol.md` section 9).

use std::{borrow::Cow, collections::BTreeMap, error::Error as StdError, fmt, future::Future};

use http::HeaderMap;
use zeroize::Zeroizing;

use crate::{
    callbacks::{Callback, boxed},
    error::{BoxError, ConfigError},
    provider::Provider,
    user::User,
};

/// Signs in with a form: a function of the application is given what was typed and says who it is.
///
/// The function answers `Ok(Some(user))`, `Ok(None)` for wrong credentials, `Err` of a [`Rejection`] when the
/// client should be told a code, or any other error, of which the client learns nothing.
///
/// Only the declared fields reach it: not the CSRF token, nor whatever else was posted.
///
/// ```
/// use portcullis::{BoxError, Credentials, Field, Rejection, Submitted, User};
///
/// async fn check_password(form: Submitted) -> Result<Option<User>, BoxError> {
///     match (form.get("username"), form.get("password")) {
///         // Compare with a hash (argon2, on a blocking thread) in real life.
///         (Some("jsmith"), Some("hunter2")) => Ok(Some(User::new("1").name("J Smith"))),
///         (Some("locked"), _) => Err(Rejection::new("account_locked").into()),
///         _ => Ok(None),
///     }
/// }
///
/// let credentials = Credentials::new(check_password)
///     .field(Field::text("username", "Username"))
///     .field(Field::password("password", "Password"));
/// # let _ = credentials;
/// ```
#[derive(Clone)]
#[must_use]
pub struct Credentials {
    id: Cow<'static, str>,
    name: Cow<'static, str>,
    fields: Vec<Field>,
    authorize: Callback<Submitted, Option<User>>,
}

impl Credentials {
    /// The provider `credentials`, without fields so far.
    pub fn new<F, E>(authorize: impl Fn(Submitted) -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Result<Option<User>, E>> + Send + 'static,
        E: Into<BoxError>,
    {
        let authorize = boxed(move |submitted| {
            let answer = authorize(submitted);
            async move { answer.await.map_err(Into::into) }
        });
        Self { id: "credentials".into(), name: "Credentials".into(), fields: Vec::new(), authorize }
    }

    /// Another id than `credentials`, for a second form.
    pub fn with_id(mut self, id: impl Into<Cow<'static, str>>) -> Self {
        self.id = id.into();
        self
    }

    /// The name on the button.
    pub fn with_name(mut self, name: impl Into<Cow<'static, str>>) -> Self {
        self.name = name.into();
        self
    }

    /// Adds a field to the form, and to what the function is given.
    pub fn field(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    pub(crate) fn id(&self) -> &str {
        &self.id
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    pub(crate) fn fields(&self) -> &[Field] {
        &self.fields
    }

    /// What keeps it from working, with its remedy.
    pub(crate) fn check(&self, problems: &mut ConfigError) {
        if self.fields.is_empty() {
            problems.add(
                format!(
                    "the provider {:?} has no fields, so its function would never be given anything",
                    self.id
                ),
                "declare them: .field(Field::text(\"username\", \"Username\"))",
            );
        }
    }

    pub(crate) fn authorize(&self) -> &Callback<Submitted, Option<User>> {
        &self.authorize
    }
}

impl From<Credentials> for Provider {
    fn from(credentials: Credentials) -> Self {
        Self::Credentials(credentials)
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Credentials")
            .field("id", &self.id)
            .field("fields", &self.fields)
            .finish_non_exhaustive()
    }
}

/// One input of the form.
#[derive(Debug, Clone, PartialEq, Eq)]
#[must_use]
pub struct Field {
    pub(crate) name: Cow<'static, str>,
    pub(crate) label: Cow<'static, str>,
    pub(crate) kind: &'static str,
    pub(crate) placeholder: Option<Cow<'static, str>>,
    pub(crate) autocomplete: Option<Cow<'static, str>>,
}

impl Field {
    /// A line of text. Fields called `username` or `email` tell password managers so.
    pub fn text(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        let name = name.into();
        let autocomplete = matches!(&*name, "username" | "email").then(|| name.clone());
        Self { name, label: label.into(), kind: "text", placeholder: None, autocomplete }
    }

    /// An e-mail address; phones show its keyboard.
    pub fn email(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: "email", autocomplete: Some("email".into()), ..Self::text(name, label) }
    }

    /// A password, not shown while it is typed.
    pub fn password(name: impl Into<Cow<'static, str>>, label: impl Into<Cow<'static, str>>) -> Self {
        Self { kind: "password", autocomplete: Some("current-password".into()), ..Self::text(name, label) }
    }

    /// A hint in the empty field.
    pub fn placeholder(mut self, placeholder: impl Into<Cow<'static, str>>) -> Self {
        self.placeholder = Some(placeholder.into());
        self
    }

    /// The `autocomplete` value of the HTML standard, such as `one-time-code`.
    pub fn autocomplete(mut self, autocomplete: impl Into<Cow<'static, str>>) -> Self {
        self.autocomplete = Some(autocomplete.into());
        self
    }
}

/// What was typed into the declared fields, and the headers of the request. Wiped when dropped, never printed.
#[derive(Clone)]
pub struct Submitted {
    values: BTreeMap<String, Zeroizing<String>>,
    headers: HeaderMap,
}

impl Submitted {
    pub(crate) fn new(values: impl IntoIterator<Item = (String, String)>, headers: HeaderMap) -> Self {
        let values = values.into_iter().map(|(name, value)| (name, Zeroizing::new(value))).collect();
        Self { values, headers }
    }

    /// What was typed into the field called `name`; `None` if it was not sent as text.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.values.get(name).map(|value| value.as_str())
    }

    /// The headers of the request, for limits by address and the like.
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }
}

impl fmt::Debug for Submitted {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

/// A refusal with a public code, for the `authorize` function.
///
/// v5 clients get it as `code` beside `error=CredentialsSignin`, older ones as `error`. The code is public:
/// "account_locked", not "no such user".
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    code: Cow<'static, str>,
}

impl Rejection {
    /// A refusal that the client can tell from others by `code`.
    pub fn new(code: impl Into<Cow<'static, str>>) -> Self {
        Self { code: code.into() }
    }

    /// The public code.
    pub fn code(&self) -> &str {
        &self.code
    }
}

impl fmt::Display for Rejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "sign-in refused: {}", self.code)
    }
}

impl StdError for Rejection {}
