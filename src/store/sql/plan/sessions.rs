use super::{Planned, delete_expired};
use crate::store::sql::{
    layout::{Layout, SESSION, Table, USER},
    statement::{Out, Statement},
};

/// What is done with sessions.
#[derive(Debug)]
pub(in crate::store::sql) struct SessionPlan {
    /// The session `$1`.
    pub(in crate::store::sql) by_key: Planned,
    /// The session `$1` and its user.
    pub(in crate::store::sql) with_user: Planned,
    /// The key of the session `$1`, which nobody else may make until the transaction is over.
    pub(in crate::store::sql) lock: Planned,
    /// The columns of a session, and its id.
    pub(in crate::store::sql) insert: Planned,
    /// Moves the end of the session `$1` to `$2`, seen at `$3`, if it ends earlier.
    pub(in crate::store::sql) extend: Planned,
    /// Gives the session `$1` the data `$3` if its version is `$2`.
    pub(in crate::store::sql) replace: Planned,
    /// The session `$1`.
    pub(in crate::store::sql) delete: Planned,
    /// The sessions of the user `$1`.
    pub(in crate::store::sql) of_user: Planned,
    /// Those as well.
    pub(in crate::store::sql) delete_of_user: Planned,
    /// Those but `$2`.
    pub(in crate::store::sql) delete_others: Planned,
    /// At most `$2` that have ended at `$1`.
    pub(in crate::store::sql) delete_expired: Planned,
    /// Whether an insert alone sees to it that there is such a user and no such session.
    pub(in crate::store::sql) is_checked: bool,
}

const ROW: &[Out] = &[
    Out::Text,
    Out::Text,
    Out::Integer,
    Out::Integer,
    Out::Integer,
    Out::Text,
    Out::Text,
    Out::Integer,
    Out::Text,
];
const WITH_USER: &[Out] = &[
    Out::Text,
    Out::Text,
    Out::Integer,
    Out::Integer,
    Out::Integer,
    Out::Text,
    Out::Text,
    Out::Integer,
    Out::Text,
    Out::Text,
    Out::Text,
    Out::Text,
    Out::Integer,
    Out::Text,
    Out::Text,
];

impl SessionPlan {
    pub(in crate::store::sql) fn new(layout: &Layout) -> Self {
        let sessions = &layout.sessions;
        let select = |column: &'static str| {
            Planned::read(&[sessions], |tables| {
                let (table, condition) = (tables[0], tables[0].same("t", &[(column, 1)]));
                let (row, name, order) = (table.read(SESSION, "t"), &table.quoted, table.order());
                layout.statement(&format!("select {row} from {name} t where {condition}{order}"), ROW)
            })
        };
        let write = |make: &dyn Fn(&Table) -> String| {
            Planned::write(layout, sessions, |table| layout.statement(&make(table), &[]))
        };
        let delete = |table: &Table, columns: &[(&str, usize)]| {
            format!("delete from {} where {}", table.quoted, table.same(&table.quoted, columns))
        };
        Self {
            by_key: select("sessionToken"),
            with_user: Planned::read(&[sessions, &layout.users], |t| with_user(layout, t[0], t[1])),
            lock: Planned::write(layout, sessions, |table| {
                let (key, name) = (table.read(&["sessionToken"], "t"), &table.quoted);
                let (condition, locking) = (table.same("t", &KEY), layout.dialect.locking());
                layout.statement(&format!("select {key} from {name} t where {condition}{locking}"), &ROW[..1])
            }),
            insert: write(&|table| table.insert(&[SESSION, &["id"]].concat())),
            extend: write(&|table| extend(layout, table)),
            replace: write(&|table| replace(layout, table)).needing(sessions, &["data", "version"]),
            delete: write(&|table| delete(table, &KEY)),
            of_user: select("userId"),
            delete_of_user: write(&|table| delete(table, &[("userId", 1)])),
            delete_others: write(&|table| {
                let others = table.same(&table.quoted, &[("sessionToken", 2)]);
                format!("{} and not ({others})", delete(table, &[("userId", 1)]))
            }),
            delete_expired: delete_expired(layout, sessions),
            is_checked: sessions
                .as_ref()
                .is_ok_and(|it| it.goes_with_user() && it.is_unique(&["sessionToken"])),
        }
    }
}

const KEY: [(&str, usize); 1] = [("sessionToken", 1)];

fn with_user(layout: &Layout, sessions: &Table, users: &Table) -> Statement {
    let quoted = |table: &Table, column| table.column(column).map_or(String::new(), |it| it.quoted.clone());
    let text = format!(
        "select {}, {} from {} s join {} t on t.{} = s.{} where {}",
        sessions.read(SESSION, "s"),
        users.read(USER, "t"),
        sessions.quoted,
        users.quoted,
        quoted(users, "id"),
        quoted(sessions, "userId"),
        sessions.same("s", &KEY),
    );
    layout.statement(&text, WITH_USER)
}

fn extend(layout: &Layout, table: &Table) -> String {
    let (Some(expires), name) = (table.column("expires"), &table.quoted) else { return String::new() };
    let mut sets = format!("{} = {}", expires.quoted, layout.dialect.write(expires, 2));
    if let Some(seen) = table.column("last_seen") {
        sets += &format!(", {} = {}", seen.quoted, layout.dialect.write(seen, 3));
    }
    let is_earlier = layout.dialect.is_before(expires, name, 2);
    format!("update {name} set {sets} where {} and {is_earlier}", table.same(name, &KEY))
}

fn replace(layout: &Layout, table: &Table) -> String {
    let (Some(data), Some(version)) = (table.column("data"), table.column("version")) else {
        return String::new();
    };
    let (name, value, version) = (&table.quoted, layout.dialect.write(data, 3), &version.quoted);
    let key = table.same(name, &KEY);
    format!(
        "update {name} set {} = {value}, {version} = {name}.{version} + 1 where {key} and {name}.{version} = $2",
        data.quoted
    )
}
