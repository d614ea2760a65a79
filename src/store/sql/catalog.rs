//! What the database says about its tables.

use super::{
    backend::{Backend, Connection},
    dialect::Dialect,
    fault::Fault,
    statement::{Arg, Out, Statement},
};

/// A table as it is.
#[derive(Debug, Clone, Default)]
pub(super) struct FoundTable {
    pub(super) columns: Vec<FoundColumn>,
    pub(super) indexes: Vec<FoundIndex>,
    /// Columns whose rows go when what they refer to goes.
    pub(super) cascades: Vec<String>,
}

#[derive(Debug, Clone)]
pub(super) struct FoundColumn {
    pub(super) name: String,
    /// In lower case, without length.
    pub(super) type_name: String,
    pub(super) max_length: Option<i64>,
    /// Digits of a second.
    pub(super) precision: Option<i64>,
    /// The database finds a value for it, and which way.
    pub(super) default: FoundDefault,
    pub(super) required: bool,
    /// What texts are compared by; of PostgreSQL only if that, or the type, takes different ones for the same.
    pub(super) collation: Option<String>,
    /// How its first value is stored, where the type does not say.
    pub(super) sample: Option<String>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum FoundDefault {
    None,
    Value,
    /// It counts up.
    Counter,
}

#[derive(Debug, Clone, Default)]
pub(super) struct FoundIndex {
    pub(super) name: String,
    pub(super) unique: bool,
    pub(super) columns: Vec<String>,
}

impl FoundTable {
    pub(super) fn column(&self, name: &str) -> Option<&FoundColumn> {
        self.columns.iter().find(|column| column.name == name)
    }
}

/// The table of this name that statements without a schema mean; `None` if there is none.
pub(super) async fn find<B: Backend>(
    connection: &mut Connection<B>,
    table: &str,
) -> Result<Option<FoundTable>, Fault> {
    let texts = texts(B::DIALECT);
    let ask = |text, out| Statement::new(B::DIALECT, text, out);
    let args = [Arg::from(table)];
    let mut found = FoundTable::default();
    for mut row in B::rows(connection, &ask(texts.columns, COLUMN), &args).await? {
        found.columns.push(FoundColumn {
            name: row.needed_text("name of a column")?,
            type_name: row.needed_text("type of a column")?.to_ascii_lowercase(),
            max_length: row.integer(),
            precision: row.integer(),
            default: match row.integer() {
                None | Some(0) => FoundDefault::None,
                Some(1) => FoundDefault::Value,
                Some(_) => FoundDefault::Counter,
            },
            required: row.integer() == Some(1),
            collation: row.text(),
            sample: None,
        });
    }
    if found.columns.is_empty() {
        return Ok(None);
    }
    for mut row in B::rows(connection, &ask(texts.indexes, INDEX), &args).await? {
        let (name, unique) = (row.needed_text("name of an index")?, row.integer() == Some(1));
        // One of an expression has no column: it is no help, and says nothing about columns.
        let column = row.text().unwrap_or_default();
        match found.indexes.last_mut().filter(|index| index.name == name) {
            Some(index) => index.columns.push(column),
            None => found.indexes.push(FoundIndex { name, unique, columns: vec![column] }),
        }
    }
    found.indexes.retain(|index| index.columns.iter().all(|column| !column.is_empty()));
    for mut row in B::rows(connection, &ask(texts.cascades, &[Out::Text]), &args).await? {
        found.cascades.extend(row.text());
    }
    if B::DIALECT == Dialect::Sqlite {
        sample::<B>(connection, table, &mut found).await?;
    }
    Ok(Some(found))
}

/// SQLite has no type for times: whether a column has texts or numbers is seen from what is there.
async fn sample<B: Backend>(
    connection: &mut Connection<B>,
    table: &str,
    found: &mut FoundTable,
) -> Result<(), Fault> {
    for column in &mut found.columns {
        if !["date", "time"].iter().any(|part| column.type_name.contains(part)) {
            continue;
        }
        let name = B::DIALECT.quote(&column.name.replace('"', "\"\""));
        let text = format!(
            "select typeof({name}) from {} where {name} is not null limit 1",
            B::DIALECT.quote(table)
        );
        let statement = Statement::new(B::DIALECT, &text, &[Out::Text]);
        column.sample =
            B::rows(connection, &statement, &[]).await?.into_iter().find_map(|mut row| row.text());
    }
    Ok(())
}

const COLUMN: &[Out] =
    &[Out::Text, Out::Text, Out::Integer, Out::Integer, Out::Integer, Out::Integer, Out::Text];
const INDEX: &[Out] = &[Out::Text, Out::Integer, Out::Text];

/// Each asks about the table `$1`.
struct Texts {
    /// name, type, length, precision, default, required, collation
    columns: &'static str,
    /// name, unique, column; in the order of the columns
    indexes: &'static str,
    /// column
    cascades: &'static str,
}

fn texts(dialect: Dialect) -> Texts {
    match dialect {
        Dialect::Sqlite => SQLITE,
        Dialect::Postgres => POSTGRES,
        Dialect::MySql => MYSQL,
    }
}

const SQLITE: Texts = Texts {
    columns: "select name, type, null, null, \
              case when pk > 0 and lower(type) = 'integer' then 2 when dflt_value is not null then 1 else 0 end, \
              \"notnull\", null from pragma_table_info($1)",
    // The key of a table whose rows are numbered by it is in no list.
    indexes: "select l.name, l.\"unique\", c.name, l.seq, c.seqno from pragma_index_list($1) l \
              join pragma_index_info(l.name) c where l.partial = 0 \
              union all select 'rowid', 1, name, -1, 0 from pragma_table_info($1) t where pk = 1 \
              and (select count(*) from pragma_table_info($1) where pk > 0) = 1 order by 4, 5",
    cascades: "select \"from\" from pragma_foreign_key_list($1) where on_delete = 'CASCADE'",
};

const POSTGRES: Texts = Texts {
    columns: "select a.attname::text, b.typname::text, \
              case when b.typname in ('varchar', 'bpchar') and a.atttypmod > 4 then a.atttypmod - 4 end::bigint, \
              case when b.typname in ('timestamp', 'timestamptz') and a.atttypmod >= 0 then a.atttypmod end::bigint, \
              case when a.attidentity <> '' then 2 when not a.atthasdef then 0 \
                   when pg_get_expr(d.adbin, d.adrelid) like 'nextval(%' then 2 else 1 end::bigint, \
              a.attnotnull::int::bigint, \
              case when not k.collisdeterministic or b.typname not in ('text', 'varchar', 'name') \
                   then k.collname::text end \
              from pg_attribute a join pg_type t on t.oid = a.atttypid \
              join pg_type b on b.oid = case t.typtype when 'd' then t.typbasetype else t.oid end \
              left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum \
              left join pg_collation k on k.oid = a.attcollation \
              where a.attrelid = (select c.oid from pg_class c where c.relname = $1 \
              and c.relkind in ('r', 'p', 'v', 'f') and pg_table_is_visible(c.oid)) \
              and a.attnum > 0 and not a.attisdropped order by a.attnum",
    indexes: "select i.indexrelid::regclass::text, i.indisunique::int::bigint, a.attname::text \
              from pg_index i cross join lateral unnest(i.indkey::int2[]) with ordinality k(number, place) \
              left join pg_attribute a on a.attrelid = i.indrelid and a.attnum = k.number \
              where i.indrelid = (select c.oid from pg_class c where c.relname = $1 \
              and c.relkind in ('r', 'p', 'v', 'f') and pg_table_is_visible(c.oid)) \
              and i.indpred is null and i.indisvalid and k.place <= i.indnkeyatts order by 1, k.place",
    cascades: "select a.attname::text from pg_constraint f \
               join pg_attribute a on a.attrelid = f.conrelid and a.attnum = f.conkey[1] \
               where f.contype = 'f' and f.confdeltype = 'c' and cardinality(f.conkey) = 1 \
               and f.conrelid = (select c.oid from pg_class c where c.relname = $1 \
               and c.relkind in ('r', 'p', 'v', 'f') and pg_table_is_visible(c.oid))",
};

const MYSQL: Texts = Texts {
    columns: "select column_name, data_type, cast(character_maximum_length as signed), \
              cast(datetime_precision as signed), \
              case when extra like '%auto_increment%' then 2 when column_default is not null \
                   or extra like '%DEFAULT_GENERATED%' then 1 else 0 end, \
              is_nullable = 'NO', collation_name from information_schema.columns \
              where table_schema = database() and table_name = $1 order by ordinal_position",
    // The beginning of a column tells nothing about the whole.
    indexes: "select index_name, min(non_unique) over (partition by index_name) = 0 \
              and max(sub_part is not null) over (partition by index_name) = 0, column_name \
              from information_schema.statistics where table_schema = database() and table_name = $1 \
              order by index_name, seq_in_index",
    cascades: "select k.column_name from information_schema.key_column_usage k \
               join information_schema.referential_constraints r on r.constraint_schema = k.constraint_schema \
               and r.constraint_name = k.constraint_name and r.table_name = k.table_name \
               where k.table_schema = database() and k.table_name = $1 and r.delete_rule = 'CASCADE'",
};
