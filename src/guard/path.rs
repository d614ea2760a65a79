//! Which paths a guard is about.

use std::borrow::Cow;

use percent_encoding::percent_decode_str;

/// The patterns of a guard, as the `matcher` of Next.js has them.
#[derive(Debug, Clone, Default)]
pub(super) struct Paths {
    /// Guarded are these only; all, if there is none.
    pub(super) only: Vec<Pattern>,
    /// These are not guarded.
    pub(super) except: Vec<Pattern>,
}

/// A path with places for segments: `:name` for one, `:name*` for any number, `:name+` for one or more.
#[derive(Debug, Clone)]
pub(super) struct Pattern(Vec<Segment>);

#[derive(Debug, Clone, PartialEq, Eq)]
enum Segment {
    Literal(String),
    One,
    Any,
    Some,
}

impl Paths {
    /// Whether requests for this path are guarded. A path that is written in an odd way (`//admin`,
    /// `/%61dmin`, `/public/../admin`) is guarded if it is so as it stands or in its plain form, so that no
    /// spelling leads around a guard.
    pub(super) fn guards(&self, path: &str) -> bool {
        let among = |patterns: &[Pattern], path: &str| patterns.iter().any(|pattern| pattern.matches(path));
        let guards =
            |path: &str| (self.only.is_empty() || among(&self.only, path)) && !among(&self.except, path);
        if self.only.is_empty() && self.except.is_empty() {
            return true;
        }
        guards(path) || guards(&plain(path))
    }
}

impl Pattern {
    pub(super) fn new(pattern: &str) -> Self {
        Self(segments(pattern).map(Segment::new).collect())
    }

    fn matches(&self, path: &str) -> bool {
        path.starts_with('/') && matches(&self.0, &segments(path).collect::<Vec<_>>())
    }
}

impl Segment {
    fn new(text: &str) -> Self {
        match text.strip_prefix(':') {
            Some(name) if name.ends_with('*') => Self::Any,
            Some(name) if name.ends_with('+') => Self::Some,
            Some(_) => Self::One,
            None => Self::Literal(text.to_owned()),
        }
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
                Segment::Any => within || reached[at],
                Segment::Some => within,
            };
            within |= reached[at];
        }
        reached = next;
    }
    reached[path.len()]
}

/// A path decoded, without empty segments and with its dots resolved: what a careless router would make of it.
fn plain(path: &str) -> String {
    let decoded: Cow<'_, str> = percent_decode_str(path).decode_utf8_lossy();
    let mut kept: Vec<&str> = Vec::new();
    for segment in decoded.split(['/', '\\']) {
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
            ("/a", "*", false),
        ] {
            assert_eq!(Pattern::new(pattern).matches(path), matched, "{pattern} {path}");
        }
    }

    /// S76: no other spelling leads around a guard.
    #[test]
    fn s76_odd_spellings_are_guarded() {
        let only = |pattern| Paths { only: vec![Pattern::new(pattern)], except: Vec::new() };
        for path in
            ["/admin", "//admin", "/admin/", "/%61dmin", "/./admin", "/x/../admin", "/\\admin", "/admin/%2e"]
        {
            assert!(only("/admin").guards(path), "{path}");
        }
        assert!(!only("/admin").guards("/other"));
        let except = Paths { only: Vec::new(), except: vec![Pattern::new("/public/:path*")] };
        for (path, guarded) in [
            ("/public", false),
            ("/public/x", false),
            ("/", true),
            ("//public", true),
            ("/%70ublic", true),
            ("/PUBLIC", true),
            ("/public/../admin", true),
            ("/public/%2e%2e/admin", true),
        ] {
            assert_eq!(except.guards(path), guarded, "{path}");
        }
    }

    proptest! {
        /// S95: no path makes a matcher panic, and a literal matches itself.
        #[test]
        fn s95_any_path(path in "(/|\\.\\.|%2[ef]|[a-z:*+%\\\\]){0,12}", pattern in "(/|[a-b]|:x\\*?|:y\\+){0,8}") {
            let _ = Pattern::new(&pattern).matches(&path);
            // Whoever takes the path apart in the plain way, or in none, finds the guard.
            let guarded = Paths { only: vec![Pattern::new("/a/:path*")], except: Vec::new() };
            let below = format!("/a/{path}");
            prop_assert!(guarded.guards(&below));
            let open = Paths { only: Vec::new(), except: vec![Pattern::new("/a/:path*")] };
            let path = format!("/{path}");
            prop_assert!(open.guards(&path) || plain(&path).starts_with("/a"));
        }
    }
}
