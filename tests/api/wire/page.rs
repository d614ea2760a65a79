//! What people read on a built-in page and what browsers send from it, without the markup around it.

use std::collections::BTreeMap;

/// What two pages are compared by.
#[derive(Debug, Default, PartialEq)]
pub(super) struct Page {
    pub(super) title: String,
    pub(super) body_class: String,
    /// Headings and paragraphs. A page that is for one question is not compared by the name above it.
    pub(super) texts: Vec<String>,
    /// Where links lead, with their text.
    pub(super) links: Vec<(String, String)>,
    pub(super) logo: Option<String>,
    /// The form of the sign-out page, or that of the credentials.
    pub(super) form: Option<Form>,
    /// That of links by mail.
    pub(super) email: Option<Form>,
}

/// A form.
#[derive(Debug, PartialEq)]
pub(super) struct Form {
    pub(super) action: String,
    pub(super) method: String,
    pub(super) hidden: BTreeMap<String, String>,
    /// Name, id and type.
    inputs: Vec<(String, String, String)>,
    labels: Vec<(String, String)>,
    buttons: Vec<String>,
}

impl Page {
    pub(super) fn read(html: &str) -> Self {
        let title = texts(html, "title").concat();
        // Names of pages, and the text of a link, which is compared with where it leads.
        let named = ["Sign in", "Signout"];
        let mut shown = texts(html, "h1");
        shown.extend(texts(html, "p"));
        shown.retain(|text| !text.is_empty() && !named.contains(&text.as_str()));
        let ours = |form: &&str| form.contains("/callback/credentials\"") || form.contains("/signout\"");
        let mut forms = html.split("<form").skip(1).filter_map(|rest| rest.split("</form>").next());
        let email = forms.clone().find(|form| form.contains("/signin/email\"")).map(Form::read);
        let form = forms.find(ours).map(Form::read);
        let links = elements(html, "a").map(|(tag, text)| (attribute(&tag, "href"), text)).collect();
        let body = tags(html, "body").next().unwrap_or_default();
        // Providers have pictures too.
        let logo =
            tags(html, "img").find(|tag| attribute(tag, "class") == "logo").map(|tag| attribute(tag, "src"));
        Self { title, body_class: attribute(body, "class"), texts: shown, links, logo, form, email }
    }
}

impl Form {
    fn read(html: &str) -> Self {
        let tag = &html[..html.find('>').unwrap()];
        let inputs: Vec<_> = tags(html, "input")
            .map(|input| ["name", "id", "type", "value"].map(|name| attribute(input, name)))
            .collect();
        let (hidden, shown): (Vec<_>, Vec<_>) =
            inputs.into_iter().partition(|[_, _, kind, _]| kind == "hidden");
        Self {
            action: attribute(tag, "action"),
            method: attribute(tag, "method"),
            hidden: hidden.into_iter().map(|[name, _, _, value]| (name, value)).collect(),
            inputs: shown.into_iter().map(|[name, id, kind, _]| (name, id, kind)).collect(),
            labels: elements(html, "label").map(|(tag, text)| (attribute(&tag, "for"), text)).collect(),
            buttons: texts(html, "button"),
        }
    }
}

fn texts(html: &str, element: &str) -> Vec<String> {
    elements(html, element).map(|(_, text)| text).collect()
}

/// What stands between `<ELEMENT` and `>`, as often as there is one.
fn tags<'h>(html: &'h str, element: &str) -> impl Iterator<Item = &'h str> + use<'h> {
    pieces(html, element).map(|piece| piece.split_once('>').map_or(piece, |(tag, _)| tag))
}

/// The tag and the text of each element of a kind.
fn elements(html: &str, element: &str) -> impl Iterator<Item = (String, String)> + use<> {
    let end = format!("</{element}>");
    let pairs: Vec<_> = pieces(html, element)
        .filter_map(|piece| piece.split_once('>'))
        .filter_map(|(tag, rest)| Some((tag.to_owned(), text_of(rest.split_once(&end)?.0))))
        .collect();
    pairs.into_iter()
}

/// What follows each beginning of such an element.
fn pieces<'h>(html: &'h str, element: &str) -> impl Iterator<Item = &'h str> + use<'h> {
    let start = format!("<{element}");
    let pieces: Vec<_> = html.split(&start).skip(1).filter(|piece| piece.starts_with(['>', ' '])).collect();
    pieces.into_iter()
}

/// Text without the tags in it.
fn text_of(html: &str) -> String {
    let mut parts = html.split('<');
    let first = parts.next().unwrap_or_default();
    let others = parts.filter_map(|part| part.split_once('>')).map(|(_, text)| text);
    unescape(&std::iter::once(first).chain(others).collect::<String>())
}

fn attribute(tag: &str, name: &str) -> String {
    let value = tag.split_once(&format!(" {name}=\"")).and_then(|(_, rest)| rest.split_once('"'));
    value.map(|(value, _)| unescape(value)).unwrap_or_default()
}

fn unescape(text: &str) -> String {
    let pairs = [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#39;", "'"), ("&amp;", "&")];
    pairs.iter().fold(text.to_owned(), |text, (escaped, plain)| text.replace(escaped, plain))
}

/// Two pages that were both read as nothing would be equal.
#[test]
fn everything_is_read() {
    let html = r#"<title>Sign In</title><body class="dark"><img src="/l.png" class="logo" /><h1>Sign in</h1>
        <div class="error"><p>Try &amp; <b>again</b>.</p></div><a href="/x">There</a>
        <form action="/signin/acme"><input type="hidden" name="csrfToken" value="other"></form>
        <form action="/signin/email"><input name="email"></form>
        <form action="/callback/credentials" method="POST"><input type="hidden" name="csrfToken" value="t">
        <label class="a" for="u">User</label><input name="user" id="u" type="text"/><button>Go</button></form>"#;
    let page = Page::read(html);
    assert_eq!((page.title.as_str(), page.body_class.as_str()), ("Sign In", "dark"));
    assert_eq!((page.texts, page.logo), (vec!["Try & again.".to_owned()], Some("/l.png".to_owned())));
    assert_eq!(page.links, [("/x".to_owned(), "There".to_owned())]);
    assert_eq!(page.email.unwrap().action, "/signin/email");
    let form = page.form.unwrap();
    assert_eq!((form.action.as_str(), form.method.as_str()), ("/callback/credentials", "POST"));
    assert_eq!(form.hidden["csrfToken"], "t");
    assert_eq!(form.inputs, [("user".to_owned(), "u".to_owned(), "text".to_owned())]);
    assert_eq!(
        (form.labels, form.buttons),
        (vec![("u".to_owned(), "User".to_owned())], vec!["Go".to_owned()])
    );
}
