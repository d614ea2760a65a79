//! Which paths a guard is about.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The patterns of a guard, as the `matcher` of Next.js has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    /// Guarded are these only.
    only: Option<Vec<Pattern>>,
    /// These are not guarded.
    except: Vec<Pattern>,
    /// Nor are these, which are meant as the browser has them.
    except_everywhere: Vec<Pattern>,
}

/// A path with places for segments: `:name` for one, `:name?` for one or none, `:name*` for any number, `:name+` for
/// one or more; or as Axum writes them, `{name}` and `{*name}`.
#[derive(Debug, Clone)]
struct Pattern(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    One,
    Maybe,
    Any,
    Some,
}

impl Paths {
    /// Guards these. A pattern that is not understood is taken for every path: a guard must not be open because of
    /// how it was written.
    pub(super) fn guard_only(&mut self, patterns: impl Iterator<Item = impl AsRef<str>>) {
        let only = self.only.get_or_insert_default();
        for pattern in patterns {
            only.push(understood(pattern.as_ref(), "every path is guarded").unwrap_or_else(Pattern::all));
        }
    }

    /// Does not guard these. A pattern that is not understood is no exception.
    pub(super) fn leave_out(&mut self, patterns: impl Iterator<Item = impl AsRef<str>>) {
        self.except.extend(patterns.filter_map(|pattern| understood(pattern.as_ref(), "it excepts nothing")));
    }

    /// The same, for paths as the browser has them.
    pub(super) fn leave_out_everywhere(&mut self, patterns: impl Iterator<Item = impl AsRef<str>>) {
        let patterns = patterns.filter_map(|pattern| understood(pattern.as_ref(), "it excepts nothing"));
        self.except_everywhere.extend(patterns);
    }

    /// Whether no path was named, so that each is guarded.
    pub(super) fn is_every(&self) -> bool {
        self.only.is_none() && self.except.is_empty() && self.except_everywhere.is_empty()
    }

    /// Whether requests for this path are guarded; `original` is the path before routers took prefixes away.
    ///
    /// A path that is written in an odd way (`//admin`, `/%61dmin`, `/public/../admin`) is guarded if any of the
    /// forms is in which something further in might read it, so that no spelling leads around a guard.
    pub(super) fn guards(&self, path: &str, original: &str) -> bool {
        let (here, whole) = (forms(path), forms(original));
        let all_among =
            |patterns: &[Pattern], forms: &[Cow<'_, str>]| forms.iter().all(|form| among(patterns, form));
        let excepted = all_among(&self.except, &here)
            || all_among(&self.except, &whole)
            || all_among(&self.except_everywhere, &whole);
        !excepted && here.iter().chain(&whole).any(|form| self.lists(form))
    }

    fn lists(&self, path: &str) -> bool {
        self.only.as_ref().is_none_or(|only| among(only, path))
    }
}

fn among(patterns: &[Pattern], path: &str) -> bool {
    patterns.iter().any(|pattern| pattern.matches(path))
}

fn understood(text: &str, consequence: &str) -> Option<Pattern> {
    let pattern = Pattern::parse(text);
    if pattern.is_none() {
        tracing::error!(
            pattern = text,
            "a path pattern of a guard is not understood, so {consequence}: write /path, /path/:name, \
             /path/:name?, /path/:name+ or /path/:name*"
        );
    }
    pattern
}

impl Pattern {
    fn parse(pattern: &str) -> Option<Self> {
        let pattern = pattern.strip_suffix('/').unwrap_or(pattern);
        segments(pattern).map(Segment::parse).collect::<Option<_>>().map(Self)
    }

    fn all() -> Self {
        Self(vec![Segment::Any])
    }

    fn matches(&self, path: &str) -> bool {
        path.starts_with('/') && matches(&self.0, &segments(path).collect::<Vec<_>>())
    }
}

impl Segment {
    fn parse(text: &str) -> Option<Self> {
        let is_name = |name: &str| {
            !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
        };
        if let Some(name) = text.strip_prefix(':') {
            let (name, segment) = match name.as_bytes().last()? {
                b'?' => (&name[..name.len() - 1], Self::Maybe),
                b'*' => (&name[..name.len() - 1], Self::Any),
                b'+' => (&name[..name.len() - 1], Self::Some),
                _ => (name, Self::One),
            };
            return is_name(name).then_some(segment);
        }
        if let Some(name) = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')) {
            return match name.strip_prefix('*') {
                Some(name) => is_name(name).then_some(Self::Some),
                None => is_name(name).then_some(Self::One),
            };
        }
        let plain = !text.bytes().any(|byte| b"(){}*+?[]\\:|^$#".contains(&byte));
        plain.then(|| Self::Literal(text.to_owned()))
    }
}

fn segments(path: &str) -> impl Iterator<Item = &str> {
    let path = path.strip_prefix('/').unwrap_or(path);
    (!path.is_empty()).then(|| path.split('/')).into_iter().flatten()
}

/// In time linear in both: `reached` says after how many segments of the path the pattern may stand so far.
fn matches(pattern: &[Segment], path: &[&str]) -> bool {
    let mut reached = vec![false; path.len() + 1];
    reached[0] = true;
    for segment in pattern {
        let mut next = vec![false; path.len() + 1];
        let mut within = false;
        for at in 0..=path.len() {
            let step = at.checked_sub(1).filter(|before| reached[*before]);
            next[at] = match segment {
                Segment::Literal(literal) => step.is_some_and(|before| literal == path[before]),
                Segment::One => step.is_some_and(|before| !path[before].is_empty()),
                Segment::Maybe => reached[at] || step.is_some(),
                Segment::Any => within || reached[at],
                Segment::Some => within,
            };
            within |= reached[at];
        }
        reached = next;
    }
    reached[path.len()]
}

/// A path as it stands, and as careless routers would read it: decoded, with slashes merged, with dots resolved.
fn forms(path: &str) -> Vec<Cow<'_, str>> {
    let mut forms = vec![Cow::Borrowed(path)];
    let is_plain =
        !path.contains("//") && !path.contains(['%', '\\']) && !path.contains("/.") && !path.ends_with('/');
    if !is_plain {
        let decoded = percent_decode_str(path).decode_utf8_lossy().replace('\\', "/");
        let resolved = resolve(&decoded);
        let bare = format!("/{}", merged(&decoded).trim_matches('/'));
        forms.extend([merged(path), merged(&decoded), decoded, bare, resolved].map(Cow::Owned));
    }
    forms
}

fn merged(path: &str) -> String {
    let mut merged = String::with_capacity(path.len());
    for character in path.chars() {
        if character != '/' || !merged.ends_with('/') {
            merged.push(character);
        }
    }
    merged
}

fn resolve(path: &str) -> String {
    let mut kept: Vec<&str> = Vec::new();
    for segment in path.split('/') {
        match segment {
            "" | "." => {}
            ".." => drop(kept.pop()),
            segment => kept.push(segment),
        }
    }
    format!("/{}", kept.join("/"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn patterns() {
        for (pattern, path, matched) in [
            ("/", "/", true),
            ("/", "/a", false),
            ("/a", "/a", true),
            ("/a", "/a/", false),
            ("/a", "/A", false),
            ("/a/:id", "/a/7", true),
            ("/a/:id", "/a", false),
            ("/a/:id", "/a/", false),
            ("/a/:id", "/a/7/8", false),
            ("/a/:path*", "/a", true),
            ("/a/:path*", "/a/", true),
            ("/a/:path*", "/a/b/c", true),
            ("/a/:path*", "/ab", false),
            ("/a/:path+", "/a", false),
            ("/a/:path+", "/a/b/c", true),
            ("/:path*/edit", "/a/b/edit", true),
            ("/:path*/edit", "/edit", true),
            ("/:path*/edit", "/a/b", false),
            ("/:path*", "/", true),
            ("/greeter.v1.Greeter/:method", "/greeter.v1.Greeter/Chat", true),
            ("/:a*/:b*/:c*/:d+", "/1/2/3", true),
            ("/:a*/x/:b*", "/1/x/2/3", true),
            ("/:a*/x/:b+", "/1/x", false),
            ("/a/:b?", "/a", true),
            ("/a/:b?", "/a/1", true),
            ("/a/:b?", "/a/1/2", false),
            ("/a/{b}", "/a/1", true),
            ("/a/{*rest}", "/a/1/2", true),
            ("/a/{*rest}", "/a", false),
            ("/a/", "/a", true),
            ("/a", "*", false),
        ] {
            assert_eq!(Pattern::parse(pattern).unwrap().matches(path), matched, "{pattern} {path}");
        }
    }

    fn guarding(only: &[&str], except: &[&str]) -> Paths {
        let mut paths = Paths::default();
        if !only.is_empty() {
            paths.guard_only(only.iter());
        }
        paths.leave_out(except.iter());
        paths
    }

    /// A pattern in another language guards everything and excepts nothing.
    #[test]
    fn what_is_not_understood_is_guarded() {
        for pattern in [
            "/admin/*",
            "/admin/**",
            "/admin/(.*)",
            "/((?!public).*)",
            "/user-:id",
            "/a/:id(\\d+)",
            "/a/:path.html",
            "/a/:",
            "/a/:*",
            "/a/{}",
            "/a/{*}",
            "/a/{id}x",
            "/a\\b",
            "/a?b",
        ] {
            assert!(Pattern::parse(pattern).is_none(), "{pattern}");
            assert!(guarding(&[pattern], &[]).guards("/anything", "/anything"), "{pattern}");
            assert!(guarding(&[], &[pattern]).guards("/admin/x", "/admin/x"), "{pattern}");
        }
    }

    /// S76: no other spelling leads around a guard.
    #[test]
    fn s76_odd_spellings_are_guarded() {
        for path in [
            "/admin",
            "//admin",
            "/admin/",
            "/%61dmin",
            "/./admin",
            "/x/../admin",
            "/\\admin",
            "/admin/%2e",
            "//admin/..",
            "//admin/x/../..",
            "/%61dmin/..",
            "/admin%2f%2e%2e",
            "/admin//x",
            "/%2561dmin/../admin",
        ] {
            assert!(guarding(&["/admin/:path*"], &[]).guards(path, path), "{path}");
        }
        assert!(!guarding(&["/admin"], &[]).guards("/other", "/other"));
        for (path, guarded) in [
            ("/public", false),
            ("/public/x", false),
            ("/", true),
            ("//public", true),
            ("/%70ublic", true),
            ("/PUBLIC", true),
            ("/public/../admin", true),
            ("/public/%2e%2e/admin", true),
            ("/public%2f..%2fadmin", true),
        ] {
            assert_eq!(guarding(&[], &["/public/:path*"]).guards(path, path), guarded, "{path}");
        }
    }

    /// In a nested router both paths count: patterns may be written for either.
    #[test]
    fn s76_nested_paths() {
        for pattern in ["/admin/a", "/a"] {
            assert!(guarding(&[pattern], &[]).guards("/a", "/admin/a"), "{pattern}");
            assert!(!guarding(&[], &[pattern]).guards("/a", "/admin/a"), "{pattern}");
        }
        let mut site = Paths::default();
        site.leave_out_everywhere(["/favicon.ico"].iter());
        assert!(site.guards("/favicon.ico", "/admin/favicon.ico"));
        assert!(!site.guards("/favicon.ico", "/favicon.ico"));
    }

    proptest! {
        /// S95: no path makes a matcher panic, and a literal matches itself.
        #[test]
        fn s95_any_path(path in "(/|\\.\\.|%2[ef]|[a-z:*+%\\\\]){0,12}", pattern in "(/|[a-b]|:x\\*?|:y\\+){0,8}") {
            let _ = guarding(&[&*pattern], &[]).guards(&path, &path);
            // Whoever reads the path in the plain way, or as it stands, finds the guard.
            let below = format!("/a/{path}");
            prop_assert!(guarding(&["/a/:path*"], &[]).guards(&below, &below));
            let path = format!("/{path}");
            prop_assert!(guarding(&[], &["/a/:path*"]).guards(&path, &path) || resolve(&path).starts_with("/a"));
        }
    }
}
