//! How a hostile request is filled: as long as is wanted, and with nothing good.

/// What something is called, and how it is made as long as that, or a little less.
pub type Filling = (&'static str, fn(usize) -> String);

/// A form, or a query once what a URI cannot have is escaped ([`query`]).
pub const FORMS: [Filling; 9] = [
    ("one value", |length| format!("callbackUrl=/{}", "x".repeat(length))),
    ("one value, escaped", |length| format!("callbackUrl=/{}", "%C3%A9".repeat(length / 6))),
    ("one value, of dots and slashes", |length| format!("callbackUrl={}", "/..".repeat(length / 3))),
    ("one name many times", |length| "callbackUrl=/&".repeat(length / 14)),
    ("many names", |length| (0..length / 12).map(|n| format!("n{n:08}=1&")).collect()),
    ("no names", |length| "&=".repeat(length / 2)),
    ("broken escapes", |length| "%".repeat(length)),
    ("a token", |length| format!("csrfToken={}", "|".repeat(length))),
    ("a code of an error", |length| format!("error={}", "<".repeat(length))),
];

/// A body of JSON.
pub const OBJECTS: [Filling; 5] = [
    ("lists in lists", |length| format!("{{\"data\":{}{}}}", "[".repeat(length / 2), "]".repeat(length / 2))),
    ("objects in objects", |length| {
        format!("{{\"data\":{}1{}}}", "{\"a\":".repeat(length / 6), "}".repeat(length / 6))
    }),
    ("many members", |length| {
        let members: Vec<_> = (0..length / 14).map(|n| format!("\"n{n:08}\":1")).collect();
        format!("{{{}}}", members.join(","))
    }),
    ("a long text", |length| format!("{{\"data\":\"{}\"}}", "\\u00e9".repeat(length / 6))),
    ("no end", |length| format!("{{\"data\":{}", "[".repeat(length))),
];

/// A form as a query.
pub fn query(form: &str) -> String {
    form.replace('<', "%3C").replace('|', "%7C")
}
